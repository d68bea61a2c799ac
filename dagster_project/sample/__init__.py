"""The sample: an invented landing bundle of any size. Making it belongs here; reading or judging it does not.

The same seed gives the same bytes; nothing depends on the day it runs.

Taken from published sources (the reference facts in ``seeds/``):
- commune and district names, codes and successions of the three eras, and the eight power-unit codes;
- the residential tariff tiers, and the reduced VAT of 8 % in its periods (10 % before and between);
- the press figures of PC Ninh Bình for 2024: Khánh Hải 82.05 % cashless (here 160 of 195 customers,
  electricity) and the company 78.36 % (electricity and services). The article names no month; the sample puts
  both into bill month 2024-05 (bundles of 2,000 customers or more that cover it);
- the order of events: Khánh Hải without a collection point since 2022, none left in Ninh Bình city, notices
  from June 2024, counters closing from September 2024, names of the banks, wallets and channels.

Invented, everything else: every customer, name, address, telephone number (all in a block ``000`` after the
operator's prefix), employee, contract, counter and its dates, campaign, contact and complaint; how many
customers a commune has; consumption and its seasons; the prices of those who do not pay the household tariff;
one price list per bill (the one of the day of issue); the rise of cashless payment from about 56 % in January
2023 to about 90 % in December 2025 and how it spreads over communes and channels; how often payments are
late, in parts, reversed, unnamed or wrong. All customers are of the old province: those of Hà Nam and Nam
Định, who joined in July 2025, are not in the sample. Figures from it say nothing about the real company.
"""

from dagster_project.sample.bundle import write_sample

__all__ = ["write_sample"]
