"""The cashless-payment warehouse: landing files to figures that can be trusted."""
