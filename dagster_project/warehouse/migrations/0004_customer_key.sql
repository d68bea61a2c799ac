-- The pseudonym of every customer code seen in any source. The one table that ties figures to persons.
create table bi_private.customer_key (
    customer_code text collate "C" primary key,
    customer_key bigint not null unique
);
comment on table bi_private.customer_key is
    'One row per customer code seen in any source, with its keyed pseudonym (customer_key), computed once.';
comment on column bi_private.customer_key.customer_code is 'Customer code of the customer and billing system.';
comment on column bi_private.customer_key.customer_key is 'First 8 bytes of HMAC-SHA-256 of the code, as a signed integer.';

-- Which secret the pseudonyms were made with, so that another one is noticed before it gives new keys.
create table bi_private.customer_key_secret (
    is_only_row boolean primary key default true check (is_only_row),
    fingerprint text not null
);
comment on table bi_private.customer_key_secret is 'One row: a fingerprint of the secret that keys customer_key.';
comment on column bi_private.customer_key_secret.is_only_row is 'Keeps the table at one row.';
comment on column bi_private.customer_key_secret.fingerprint is 'HMAC-SHA-256 of a fixed text, in hex.';
