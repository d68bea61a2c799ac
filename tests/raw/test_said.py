"""What a row of a payments file said: as of a publication, whatever became of the row since."""

from landing_folder import Landing, csv_text, row

from dagster_project.raw.changes import Person
from dagster_project.raw.reload import reload
from dagster_project.raw.said import Place, Said, said
from dagster_project.raw.withdraw import unload

AN = Person("An", "")
PUBLISHED = """
    with build as (
        insert into audit.build
            (build_id, input_fingerprint, final_after_days, tests_passed, tests_warned, tests_failed, is_full)
        values (gen_random_uuid(), '', 60, 0, 0, 0, true) returning build_id
    )
    insert into published.publication
        (build_id, months, final_after_days, checks_passed, checks_warned, checks_failed, keeps_history)
    select build_id, '{}', 60, 0, 0, 0, true from build
"""


def test_a_row_that_was_read_anew_and_taken_back_is_known_as_it_stood(landing: Landing) -> None:
    landing.put("payments/a.csv", csv_text("payments", [row("payments")]))
    landing.load()

    def then(statement: str) -> None:
        with landing.conn, landing.conn.cursor() as cursor:
            cursor.execute(statement)

    then("update raw.payments set channel_code = 'momo'")  # as an earlier contract may have read it
    then(PUBLISHED)
    reload(landing.settings, ["payments/a.csv"], AN)
    then(PUBLISHED)
    unload(landing.settings, ["payments/a.csv"], AN)
    then(PUBLISHED)

    [(file_id,)] = landing.query("select file_id from landing.file")
    place = Place(file_id, 2, "VCB", "T1")
    first, second = Said("payment", 432_000, "momo"), Said("payment", 432_000, "qr")
    with landing.conn.cursor() as cursor:
        loaded = [said(cursor, place, number, is_withdrawn=False) for number in (1, 2, 3)]
        withdrawn = [said(cursor, place, number, is_withdrawn=True) for number in (2, 3)]
        elsewhere = said(cursor, place._replace(line=3), 1, is_withdrawn=False)
    assert loaded == [first, second, None]
    assert withdrawn == [first, second]
    assert elsewhere is None
