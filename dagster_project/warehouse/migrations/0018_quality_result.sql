-- What each check of the gate found, audit by audit: results are data.
create table audit.quality_result (
    gate_result_number bigint not null references audit.gate_result (gate_result_number) on delete cascade,
    suite text collate "C" not null,
    expectation text collate "C" not null,
    severity text collate "C" not null check (severity in ('critical', 'warning', 'info')),
    owner text not null,
    is_passed boolean not null,
    observed numeric,
    least numeric,
    most numeric,
    why_vi text not null,
    why_en text not null,
    rows_query text,
    primary key (gate_result_number, suite, expectation)
);
comment on table audit.quality_result is 'One row per audit and check: what it found, and what was allowed.';

create view bi.quality_result as
select
    publication.publication_id,
    gate_result.build_id,
    gate_result.audited_at,
    result.suite,
    result.expectation,
    result.severity,
    result.owner,
    case when result.is_passed then 'passed' else 'failed' end as outcome,
    result.observed,
    result.least as threshold_least,
    result.most as threshold_most,
    -- Shares, money, differences of sums, and what must not be nothing, are no counts of rows.
    case
        when not result.is_passed
            and result.expectation not like all (array['share\_%', '%\_vnd', '%difference', '%\_published', 'one\_row%'])
            then result.observed::bigint
    end as failing_rows,
    result.why_vi,
    result.why_en,
    result.rows_query
from audit.quality_result as result
inner join audit.gate_result as gate_result on result.gate_result_number = gate_result.gate_result_number
left join published.publication as publication
    on
        gate_result.build_id = publication.build_id
        -- The audit it was published by; one made again later belongs to none.
        and gate_result.audited_at = (
            select max(earlier.audited_at) from audit.gate_result as earlier
            where
                earlier.build_id = publication.build_id
                and earlier.audited_at <= publication.published_at
        );
comment on view bi.quality_result is
'One row per audit and check of the quality gate: outcome, what was observed and what is allowed. dbt''s own tests are there
when they failed (suite dbt).';
comment on column bi.quality_result.publication_id is
'The publication that the audit let out; empty if there is none (refused, held back, or the run ended before).';
comment on column bi.quality_result.build_id is 'The audited build.';
comment on column bi.quality_result.audited_at is 'When.';
comment on column bi.quality_result.suite is 'The suite: raw, marts, kpi, outreach, or dbt.';
comment on column bi.quality_result.expectation is 'The check, as in expectations/<suite>.json.';
comment on column bi.quality_result.severity is 'critical refuses the publication, warning tells, info records.';
comment on column bi.quality_result.owner is 'Who looks into it.';
comment on column bi.quality_result.outcome is 'passed or failed.';
comment on column bi.quality_result.observed is
'What was found; empty if nothing could be measured, and of a share within its bounds.';
comment on column bi.quality_result.threshold_least is 'The least that passes; empty if there is none.';
comment on column bi.quality_result.threshold_most is 'The most that passes; empty if there is none.';
comment on column bi.quality_result.failing_rows is
'Of a failed check that counts rows how many there are; empty of shares, money, and checks that passed.';
comment on column bi.quality_result.why_vi is 'Why it matters, in Vietnamese.';
comment on column bi.quality_result.why_en is 'Why it matters.';
comment on column bi.quality_result.rows_query is
'A query that lists the rows, where they can be listed. In a refused build they are in schema candidate instead of bi.';
