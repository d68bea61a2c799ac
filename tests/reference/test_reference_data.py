"""The files of the overlay become the tables of schema reference: as they are now, all of them or none."""

import pytest
from overlay_folder import GOOD, OverlayFolder

from dagster_project.contracts.reference_tables import overlay_table, reference_contracts
from dagster_project.reference import overlay as module
from dagster_project.reference.faults import OverlayError

COMMUNES = GOOD["communes"].splitlines()[0]
SUCCESSIONS = "from_era,from_commune_code,to_era,to_commune_code\n"
EXPECTED = GOOD["expected_files"].splitlines()[0] + ",valid_to\n"


def test_every_file_has_its_table(overlay: OverlayFolder) -> None:
    """The columns of the contract with their types, the key, and what may be empty."""
    for name, contract in reference_contracts().items():
        found = overlay.query(
            "select attname::text, format_type(atttypid, atttypmod), attnotnull,"
            " attcollation = 'pg_catalog.\"C\"'::regcollation from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
            f"reference.{overlay_table(name)}",
        )
        for column, (attribute, sql_type, is_required, is_bytewise) in zip(
            contract.columns, _in_contract(found, contract.names), strict=True
        ):
            wanted = "time without time zone" if column.name == "due_time" else column.sql_type.split(" ")[0]
            assert (attribute, sql_type) == (column.name, wanted)
            assert is_required == (column.required or column.name == "to_era"), (name, column.name)
            assert is_bytewise == (sql_type == "text")
        [(key,)] = overlay.query(
            "select pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid = %s::regclass",
            f"reference.{overlay_table(name)}",
        )
        assert key == f"PRIMARY KEY ({', '.join(contract.key)})"


def _in_contract(found: list[tuple[object, ...]], names: tuple[str, ...]) -> list[tuple[object, ...]]:
    return [row for row in found if row[0] in names]


def test_no_folder_and_an_empty_one_are_nothing(overlay: OverlayFolder) -> None:
    assert (overlay.load().is_changed, overlay.load().fingerprint) == (False, "")
    overlay.root.mkdir(parents=True)
    overlay.put(".hidden.csv", "x")
    overlay.put("~$channels.xlsx", "x")
    assert overlay.load().is_changed is False


def test_all_files_are_read(overlay: OverlayFolder) -> None:
    overlay.put_good()
    loaded = overlay.load()
    assert loaded.is_changed
    assert loaded.fingerprint
    assert loaded.notes == ()
    assert overlay.rows("power_units") == [("PHPL00", "Điện lực Phủ Lý", None)]
    assert overlay.rows("channels") == [("newpay", "cashless", "Ví NewPay", None)]
    assert overlay.rows("partners") == [("VCB", "Ngân hàng Vietcombank", None, "bank")]
    assert overlay.rows("communes", "commune_code, era, district_name, former_province_code") == [
        ("13285", "2024", "Thành phố Phủ Lý", "35"),
        ("13285", "2025h1", "Thành phố Phủ Lý", "35"),
    ]
    assert overlay.rows(
        "commune_successions", "from_era, to_era, to_commune_code, is_split, effective_from::text"
    ) == [("2024", "2025h1", "13285", False, None), ("2025h1", "2025h2", "13285", False, "2025-07-01")]
    assert overlay.rows(
        "expected_files", "expectation_code, due_time::text, year_group, month_group, day_group"
    ) == [("vcb", "09:00:00", 1, 2, 3)]


def test_unchanged_files_are_not_read_again(overlay: OverlayFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay.put_good()
    first = overlay.load()

    def read(*_: object) -> None:
        raise AssertionError("a file was read again")

    monkeypatch.setattr(module, "read_file", read)
    again = overlay.load()
    assert (again.is_changed, again.fingerprint) == (False, first.fingerprint)
    overlay.put("channels.csv", GOOD["channels"] + "other,unknown,\n")
    with pytest.raises(AssertionError, match="read again"):
        overlay.load()


def test_another_form_of_the_same_rows_changes_no_figure(overlay: OverlayFolder) -> None:
    overlay.put("channels.csv", "channel_code,channel_class\na,cashless\nb,unknown\n")
    before = overlay.load()
    overlay.put("channels.csv", "Loại kênh;MÃ KÊNH\r\nunknown;b\r\ncashless;a\r\n".encode("utf-16"))
    after = overlay.load()
    assert after.is_changed
    assert after.fingerprint == before.fingerprint
    overlay.put_good("expected_files")
    assert overlay.load().fingerprint == before.fingerprint, "no figure is made from it"
    overlay.put("channels.csv", "channel_code,channel_class\na,cashless\nb,cashless\n")
    assert overlay.load().fingerprint != before.fingerprint


def test_a_removed_row_and_a_removed_file_are_gone(overlay: OverlayFolder) -> None:
    overlay.put("channels.csv", "channel_code,channel_class\na,cashless\nb,unknown\n")
    overlay.put_good("partners")
    overlay.load()
    overlay.put("channels.csv", "channel_code,channel_class\nb,unknown\n")
    overlay.load()
    assert overlay.rows("channels", "channel_code") == [("b",)]
    (overlay.root / "channels.csv").unlink()
    (overlay.root / "partners.csv").unlink()
    assert overlay.load().fingerprint == ""
    assert overlay.rows("channels") == overlay.rows("partners") == []


def test_a_workbook(overlay: OverlayFolder) -> None:
    """Codes as numbers, a time and a date as cells, a title above the header, a sheet that is something else."""
    import datetime as dt  # noqa: PLC0415

    overlay.put_workbook(
        "communes.xlsx",
        xã=[
            ["Danh sách xã"],
            ["Mã xã", "Thời kỳ", "Tên xã", "Loại xã", "Mã tỉnh cũ", "Từ ngày"],
            [
                13285,
                "2025h2",
                "Phường Phủ Lý (mới)".removesuffix(" (mới)"),
                "phường",
                35,
                dt.date(2025, 7, 1),
            ],
        ],
        ghi_chú=[["không phải bảng"]],
    )
    overlay.put_workbook(
        "expected_files.xlsx",
        a=[
            [*reference_contracts()["expected_files"].names],
            ["x", "bills", None, "*.csv", "month", 5, dt.time(17, 30), dt.date(2024, 1, 1), None],
        ],
    )
    assert overlay.load().notes == (
        "reference/communes.xlsx: sheet not read, it has no header with the required columns: ghi_chú",
    )
    assert overlay.rows("communes", "commune_code, commune_name, former_province_code, valid_from::text") == [
        ("13285", "Phường Phủ Lý", "35", "2025-07-01")
    ]
    assert overlay.rows("expected_files", "due_time::text, valid_from::text") == [("17:30:00", "2024-01-01")]


def test_extra_columns_are_told(overlay: OverlayFolder) -> None:
    overlay.put("channels.csv", "channel_code,channel_class,chanel_name_vi\na,cashless,A\n")
    notes = ("reference/channels.csv: columns that are not used: chanel_name_vi",)
    assert overlay.load().notes == notes
    assert overlay.load().notes == notes, "until somebody puts it right"


def test_several_rows_of_a_commune_are_a_split(overlay: OverlayFolder) -> None:
    overlay.put("commune_successions.csv", f"{SUCCESSIONS}2025h1,14320,,14329\n2025h1,14320,2025h2,14533\n")
    overlay.load()
    assert overlay.rows("commune_successions", "to_commune_code, is_split") == [
        ("14329", True),
        ("14533", True),
    ]


def faults(overlay: OverlayFolder) -> list[str]:
    with pytest.raises(OverlayError) as caught:
        overlay.load()
    assert caught.value.exit_code == 2
    first, *others = str(caught.value).splitlines()
    assert str(overlay.settings.overlay_folder()) in first
    assert others == [str(fault) for fault in caught.value.faults]
    return others


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("chanels.csv", "a\n", "reference/chanels.csv: no such reference data (there are channels, "),
        ("channels.txt", "a\n", "reference/channels.txt: not a kind of file that is read (.csv, "),
        ("channels.csv", "", "reference/channels.csv: the file is empty"),
        (
            "channels.csv",
            "channel_code\na\n",
            "reference/channels.csv: required column missing: channel_class",
        ),
        (
            "channels.csv",
            "channel_code,channel_class\n,cashless\n",
            "reference/channels.csv, line 2, channel_code: required, but empty",
        ),
        (
            "channels.csv",
            "channel_code,channel_class\na,Cashless\n",
            "reference/channels.csv, line 2, channel_class: not one of cashless, agent_cash, counter_cash, unknown",
        ),
        (
            "channels.csv",
            "channel_code,channel_class\na,cashless\n\nb,cashless,x\n",
            "reference/channels.csv, line 4: wrong number of fields: 3",
        ),
        (
            "channels.csv",
            "channel_code,channel_class\na,cashless\nb,unknown\na,cashless\n",
            "reference/channels.csv, line 4, channel_code: the same as in line 2",
        ),
        (
            "channels.csv",
            "channel_code,channel_class\nunknown,cashless\n",
            "reference/channels.csv, line 2, channel_class: the channel unknown stands for none",
        ),
        (
            "power_units.csv",
            "power_unit_code,power_unit_name,district_code\nA,B,999\n",
            "reference/power_units.csv, line 2, district_code: no such district in any era",
        ),
        (
            "power_units.csv",
            "power_unit_code,power_unit_name\nUNKNOWN,B\n",
            "reference/power_units.csv, line 2, power_unit_code: stands for no power unit",
        ),
        (
            "communes.csv",
            f"{COMMUNES}\n1,2026,Xã A,xã,,,37\n",
            "reference/communes.csv, line 2, era: not one of 2024, 2025h1, 2025h2",
        ),
        (
            "communes.csv",
            f"{COMMUNES}\n1,2025h2,A,xã,,,37\n",
            "reference/communes.csv, line 2, commune_name: does not begin with the type of the commune",
        ),
        (
            "communes.csv",
            f"{COMMUNES}\n1,2025h2,Xã A,xã,370,,37\n",
            "reference/communes.csv, line 2, district_code: districts were abolished: empty in era 2025h2",
        ),
        (
            "communes.csv",
            f"{COMMUNES}\n14320,2024,Xã A,xã,369,,37\n",
            "reference/communes.csv, line 2, district_name: required in era 2024",
        ),
        (
            "communes.csv",
            f"{COMMUNES}\n14320,2024,Xã A,xã,369,TP Ninh Bình,37\n",
            "reference/communes.csv, line 2, district_name: this district is called Thành phố Ninh Bình elsewhere",
        ),
        (
            "communes.csv",
            f"{COMMUNES}\n1,2024,Xã A,xã,1,Huyện X,35\n",
            "reference/communes.csv, line 2, commune_code: commune_successions does not say what became",
        ),
        (
            "communes.csv",
            f"{COMMUNES},valid_from,valid_to\n1,2025h2,Xã A,xã,,,37,2025-08-01,2025-07-31\n",
            "reference/communes.csv, line 2, valid_to: before valid_from",
        ),
        (
            "communes.csv",
            f"{COMMUNES}\nUNRESOLVED,2025h2,Xã A,xã,,,37\n",
            "reference/communes.csv, line 2, commune_code: stands for no commune",
        ),
        (
            "commune_successions.csv",
            f"{SUCCESSIONS}2025h2,14329,,14329\n",
            "reference/commune_successions.csv, line 2, from_era: not one of 2024, 2025h1",
        ),
        (
            "commune_successions.csv",
            f"{SUCCESSIONS}2024,14320,2025h2,14329\n",
            "reference/commune_successions.csv, line 2, to_era: after 2024 comes 2025h1",
        ),
        (
            "commune_successions.csv",
            f"{SUCCESSIONS}2024,1,,14329\n",
            "reference/commune_successions.csv, line 2, from_commune_code: no such commune in era 2024",
        ),
        (
            "commune_successions.csv",
            f"{SUCCESSIONS}2025h1,14320,,14320\n",
            "reference/commune_successions.csv, line 2, to_commune_code: no such commune in era 2025h2",
        ),
        (
            "expected_files.csv",
            f"{EXPECTED}a,payment,,*.csv,day,1,09:00,2024-01-01,\n",
            "reference/expected_files.csv, line 2, source: no such source (there are auto_debit_mandates, ",
        ),
        (
            "expected_files.csv",
            f"{EXPECTED}a,payments,,*.csv,week,1,09:00,2024-01-01,\n",
            "reference/expected_files.csv, line 2, every: not one of day, working_day, month",
        ),
        (
            "expected_files.csv",
            f"{EXPECTED}a,payments,,*.csv,day,-1,09:00,2024-01-01,\n",
            "reference/expected_files.csv, line 2, due_days: not a small whole number",
        ),
        (
            "expected_files.csv",
            f"{EXPECTED}a,payments,,*.csv,day,1,9h,2024-01-01,\n",
            "reference/expected_files.csv, line 2, due_time: not a time of day like 17:30",
        ),
        (
            "expected_files.csv",
            f"{EXPECTED}a,payments,,*.csv,day,1,09:00,2024-01-02,2024-01-01\n",
            "reference/expected_files.csv, line 2, valid_to: before valid_from",
        ),
        (
            "expected_files.csv",
            f"{EXPECTED}a,payments,,x_{{MM}}{{dd}}{{yyyy}}.csv,day,1,09:00,2024-01-01,\n",
            "reference/expected_files.csv, line 2, files: the placeholders are {MM} {dd} {yyyy}: wanted are ",
        ),
        (
            "expected_files.csv",
            f"{EXPECTED}a,payments,A,*.csv,day,1,09:00,2024-01-01,\nb,payments,B,*.csv,day,1,10:00,2024-01-01,\n",
            "reference/expected_files.csv, line 3, files: the same files as in line 2, of another partner",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    overlay: OverlayFolder, name: str, content: str, expected: str
) -> None:
    overlay.put(name, content)
    (fault,) = faults(overlay)
    assert fault.startswith(expected)


def test_all_faults_are_told_and_nothing_is_taken(overlay: OverlayFolder) -> None:
    overlay.put_good()
    before = overlay.load()
    overlay.put("partners.csv", "partner_code,partner_name_vi,kind\nNEW,Mới,bank\n")
    overlay.put("channels.csv", "channel_code,channel_class\n,Cashless\nb,cashless\n")
    overlay.put("power_units.csv", "power_unit_code\nA\n")
    overlay.put("notes.csv", "")
    (overlay.root / "communes.xlsx").mkdir()
    assert [fault.split(":")[0] for fault in faults(overlay)] == [
        "reference/channels.csv, line 2, channel_code",
        "reference/channels.csv, line 2, channel_class",
        "reference/communes.xlsx",
        "reference/notes.csv",
        "reference/power_units.csv",
    ]
    assert overlay.rows("channels", "channel_code") == [("newpay",)]
    assert overlay.rows("partners", "partner_code") == [("VCB",)]
    faults(overlay)  # told by every run, until it is right
    for name in ("notes.csv", "communes.xlsx"):
        path = overlay.root / name
        path.rmdir() if path.is_dir() else path.unlink()
    overlay.put_good()
    assert overlay.load() == module.Overlay(before.fingerprint)


def test_two_files_of_one_name(overlay: OverlayFolder) -> None:
    overlay.put_good("channels")
    overlay.put_workbook("Channels.xlsx", a=[["channel_code", "channel_class"], ["a", "cashless"]])
    assert faults(overlay) == [
        "reference/channels.csv: there is reference/Channels.xlsx too: one of them must go"
    ]


def test_a_fault_of_a_workbook_names_its_sheet(overlay: OverlayFolder) -> None:
    header: list[object] = ["channel_code", "channel_class"]
    overlay.put_workbook("channels.xlsx", a=[header, ["x", "cashless"]], b=[["Kênh"], header, ["x", "cash"]])
    assert faults(overlay)[0].startswith(
        "reference/channels.xlsx, sheet b, line 3, channel_class: not one of"
    )


def test_a_flood_of_faults_is_cut(overlay: OverlayFolder) -> None:
    overlay.put("channels.csv", "channel_code,channel_class\n" + "".join(f"c{n},x\n" for n in range(200)))
    with pytest.raises(OverlayError) as caught:
        overlay.load()
    lines = str(caught.value).splitlines()
    assert "200 faults" in lines[0]
    assert lines[-1] == "… 150 more"
    assert len(lines) == 52


def test_the_reference_folder_is_a_file(overlay: OverlayFolder) -> None:
    overlay.root.parent.mkdir(parents=True)
    overlay.root.write_text("x")
    assert faults(overlay) == ["reference: is no folder"]


def test_files_that_cannot_be_read(overlay: OverlayFolder) -> None:
    overlay.put_good("partners")
    overlay.put("channels.csv", b"channel_code,channel_class\na,cashless"[:-1] + b"\xe1\xba")
    (overlay.root / "communes.csv").symlink_to(overlay.root / "nowhere.csv")
    assert [fault.split(":")[0] for fault in faults(overlay)] == [
        "reference/channels.csv",
        "reference/communes.csv",
    ]
    assert overlay.rows("partners") == []
