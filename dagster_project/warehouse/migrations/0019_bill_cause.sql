-- Mandates, and the rows of other customers, are causes as well.
comment on view bi.fct_bill_cause is
'Of every bill that a publication changed (bi.fct_bill_history) the rows of files that were loaded or withdrawn since the
publication before and may have done it: of the bill, of payments that name it or named it or reverse those, of its owner
and the owner''s mandates; and of an owner with payments that name no bill, which move from bill to bill, all rows that
name no bill and concern the owner, or concern one of the owner''s bills, now or before. A bill without such a row was moved by reference data, a
setting or a model.';
comment on column bi.fct_bill_cause.source is 'bills, payments, customers or auto_debit_mandates.';
comment on column bi.kpi_revision.files is
'The files whose loaded or withdrawn rows may have changed bills of the row (bi.fct_bill_cause); empty if models, reference data or
settings did.';
