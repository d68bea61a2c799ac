"""CSV files (plain or gzip) as records: delimiter, quoting, lines. No judgement of values, no SQL.

A block of lines without anything special is parted by Arrow; only the others are taken apart in Python, and those
whose declared form needs it. That is what makes large files quick.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from io import StringIO, TextIOWrapper
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from dagster_project.contracts.file_form import PLAIN, FileForm
from dagster_project.contracts.model import Contract, fold_header
from dagster_project.landing.batches import BatchWriter, batch_schema
from dagster_project.landing.declared import Declared
from dagster_project.landing.records import (
    HeaderError,
    Layout,
    RawText,
    RefusedError,
    Total,
    clean_fields,
    hide,
    match_header,
    without_extras,
)
from dagster_project.landing.text_encoding import UnreadableTextError, examine

DELIMITERS = (",", ";", "\t", "|")
_DELIMITER_NAMES = {"\t": "tab"} | {delimiter: f"“{delimiter}”" for delimiter in ",;|"}
# So much is parted at once: less takes more time, more takes more memory.
_READ = 1 << 18
# A quoted field longer than this is a quote that somebody forgot to close; reading on would fill the memory.
_LONGEST_QUOTE = 16 << 20
# Follows the last line of a block; a field that swallows it was still open. No file has NUL: it is refused.
_END = "\0end\n"
# In lines that are plain there is none of these: quotes, \\N, and what str.strip takes away beside the blank.
_NOT_PLAIN = b'"\\\t\v\f\x1c\x1d\x1e\x1f'
_RARE_SPACE = tuple("\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") + tuple(
    chr(code) for code in range(0x2000, 0x200B)
)
# Arrow takes it away in front of a text.
_BYTE_ORDER_MARK = codecs.BOM_UTF8


class CsvSource:
    """One CSV file, opened: its header is read and matched."""

    def __init__(self, path: Path, is_gzip: bool, contract: Contract, form: FileForm = PLAIN) -> None:
        csv.field_size_limit(_LONGEST_QUOTE)
        self._declared = Declared(contract, form)
        try:
            self._text = examine(_unpacked(path) if is_gzip else path, self._declared)
        except UnreadableTextError as fault:
            raise self._unreadable(fault) from None
        self._delimiter, header, self._header_lines = self._read_header()
        if not header:
            raise RefusedError("the file is empty")
        encoding = form.encoding or self._text.encoding
        self.form: str | None = f"{encoding}, {_DELIMITER_NAMES.get(self._delimiter, self._delimiter)}"
        self._layout = self._matched(header, contract)
        self.copy_columns = self._layout.contract_columns
        self._translator = self._declared.translator(self.copy_columns)
        self.extra_names = self._layout.extra_names
        self._schema = batch_schema(self.copy_columns, bool(self.extra_names))
        self.notes: list[str] = []
        self.totals: list[Total] = []

    def layouts(self) -> list[tuple[str | None, Layout]]:
        return [(None, self._layout)]

    def sheet_starts(self) -> list[tuple[int, str]]:
        return []

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The row number of a CSV record is the line where it begins."""
        with self._open() as stream:
            line_no = self._header_lines + 1
            for _ in range(self._header_lines):
                stream.readline()
            while text := stream.read(_READ):
                text += stream.readline()
                batch = self._plain(text, line_no)
                if batch is not None:
                    line_no += batch.num_rows
                    yield batch
                    continue
                lines = _to_even_quotes(StringIO(text, newline="").readlines(), stream)
                yield self._taken_apart(lines, line_no, stream)
                line_no += len(lines)

    def raw_texts(self, rows: Sequence[tuple[int, int]]) -> Iterator[RawText]:
        with self._open() as stream:
            passed = 0
            for row_no, line in rows:
                for _ in islice(stream, line - 1 - passed):
                    pass
                taken: list[str] = []
                fields = _next_record(stream, taken, self._delimiter)
                passed = line - 1 + len(taken)
                yield RawText(
                    row_no, "".join(taken).rstrip("\r\n"), hide(fields, self._layout, self._delimiter)
                )

    def _open(self) -> TextIOWrapper:
        return self._text.open()

    def _read_header(self) -> tuple[str, list[str], int]:
        """The delimiter, the header by it, and the number of lines up to the header's end."""
        best: tuple[str, list[str], int] | None = None
        most = -1
        for delimiter in (self._declared.form.delimiter,) if self._declared.form.delimiter else DELIMITERS:
            with self._open() as stream:
                header, lines = _header(stream, delimiter)
            header = self._declared.header(header)
            known = len({fold_header(name) for name in header} & self._declared.headers.keys())
            if best is None or known > most:
                best, most = (delimiter, header, lines), known
        assert best is not None
        return best

    def _matched(self, header: list[str], contract: Contract) -> Layout:
        try:
            return match_header(header, contract, self._declared.headers)
        except HeaderError as error:
            if any(error.columns):
                raise
            raise HeaderError(
                f"{error} (line {self._header_lines} is taken for the header: titles above it are read in Excel only)",
                error.header,
                error.columns,
            ) from None

    def _unreadable(self, fault: UnreadableTextError) -> RefusedError:
        """The reason, with the column if the lines above tell it."""
        place = f"line {fault.line}"
        self._text = fault.readable
        delimiter, header, _ = self._read_header()
        with self._open() as stream:
            quotes = sum(line.count('"') for line in stream)
        if quotes % 2 == 0:  # so its record begins in the line itself
            index = len(_carelessly_quoted([fault.before], delimiter) or [""]) - 1
            # What is no header of the contract may be a person's name, in a file without one.
            is_known = index < len(header) and fold_header(header[index]) in self._declared.headers
            place += f", column {header[index].strip()}" if is_known else f", field {index + 1}"
        return RefusedError(f"{place}: {fault}")

    def _plain(self, text: str, first_line: int) -> pa.RecordBatch | None:
        """The records of whole lines; None if one of them needs more than parting."""
        if self.extra_names or self._translator:
            return None
        content = text.encode()
        if not _is_plain(content, self._delimiter):
            return None
        if not text.isascii() and (
            any(char in text for char in _RARE_SPACE) or not unicodedata.is_normalized("NFC", text)
        ):
            return None
        try:
            fields = pyarrow.csv.read_csv(
                pa.py_buffer(content),
                pyarrow.csv.ReadOptions(
                    use_threads=False, block_size=len(content) + 1, column_names=self.copy_columns
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=self._delimiter, quote_char=False, ignore_empty_lines=False
                ),
                pyarrow.csv.ConvertOptions(
                    check_utf8=False,
                    column_types=dict.fromkeys(self.copy_columns, pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:  # a wrong number of fields
            return None
        (parted,) = fields.to_batches()
        numbers = pa.arange(first_line, first_line + parted.num_rows)
        return pa.RecordBatch.from_arrays(
            [numbers, numbers.cast(pa.int32()), pa.nulls(parted.num_rows, pa.int32()), *parted.columns],
            schema=self._schema,
        )

    def _taken_apart(self, lines: list[str], first_line: int, stream: TextIOWrapper) -> pa.RecordBatch:
        """The records of a block one by one. `lines` grows when a quoted field goes on behind the block."""
        while True:
            records, open_line = _records(lines, self._delimiter, first_line)
            if open_line is None:
                break
            more = stream.readlines(_READ) if sum(map(len, lines)) < _LONGEST_QUOTE else []
            if not more:
                raise _not_closed(open_line)
            lines += more
        ends_in_line = not lines[-1].endswith(("\n", "\r"))  # so only at the end of the file
        writer = BatchWriter(self._schema)
        width, has_extras = self._layout.width, bool(self.extra_names)
        padding = [""] * (len(self.copy_columns) + has_extras)
        for index, (line, fields) in enumerate(records):
            if len(fields) == width:
                values = without_extras(fields, self._layout) if has_extras else clean_fields(fields)
                if self._translator:
                    self._translator.texts(values)
                writer.write(line, line, None, values)
            elif len(fields) > 1 or any(field.strip() for field in fields):
                if ends_in_line and index == len(records) - 1 and len(fields) < width:
                    raise RefusedError(
                        f"truncated: the last line ({line}) has no end and {len(fields)} of {width} fields"
                    )
                writer.write(line, line, len(fields), padding)
        return writer.take()


def _is_plain(content: bytes, delimiter: str) -> bool:
    """Whether no field of these whole lines of ASCII needs to be cleaned, and each line is a record."""
    if (
        len(content.translate(None, _NOT_PLAIN.replace(delimiter.encode(), b""))) != len(content)
        or b"NULL" in content
        or content.startswith((b"\n", b"\r", b" ", _BYTE_ORDER_MARK))
        or content.endswith(b" ")
        or content.count(b"\r") != content.count(b"\r\n")
    ):
        return False
    chars = np.frombuffer(content, np.uint8)
    ends = (chars == ord("\n")) | (chars == ord("\r"))
    edges = ends | (chars == ord(delimiter))
    blanks = chars == ord(" ")
    at_edge = (edges[:-1] & blanks[1:]) | (blanks[:-1] & edges[1:])
    empty_line = (chars[:-1] == ord("\n")) & ends[1:]
    return not (at_edge | empty_line).any()


def _unpacked(path: Path) -> Path:
    """The gzip file's content as a file beside it."""
    content = path.with_name("unpacked")
    try:
        with gzip.open(path) as packed, content.open("wb") as target:
            while block := packed.read(_READ):
                target.write(block)
    except EOFError:
        raise RefusedError("truncated gzip file") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise RefusedError(f"broken gzip file: {error}") from None
    return content


def _header(stream: TextIOWrapper, delimiter: str) -> tuple[list[str], int]:
    """The first record that is not blank, and the number of lines up to its end."""
    taken: list[str] = []
    while True:
        before = len(taken)
        fields = _next_record(stream, taken, delimiter)
        if len(taken) == before:
            return [], len(taken)
        if any(field.strip() for field in fields):
            return fields, len(taken)


def _next_record(stream: Iterator[str], taken: list[str], delimiter: str) -> list[str]:
    """One record from the stream, its lines appended to `taken`."""

    def lines() -> Iterator[str]:
        for line in stream:
            taken.append(line)
            yield line

    start = len(taken)
    try:
        return next(csv.reader(lines(), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return _carelessly_quoted(taken[start:], delimiter)


def _carelessly_quoted(lines: list[str], delimiter: str) -> list[str]:
    """A record with text behind a closing quote, read as spreadsheets do."""
    try:
        return next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error as error:
        raise RefusedError(f"cannot be read as CSV: {error}") from None


def _not_closed(line: int) -> RefusedError:
    return RefusedError(f"the quote that opens in the record of line {line} is not closed")


def _to_even_quotes(lines: list[str], stream: TextIOWrapper) -> list[str]:
    """The block, longer by the lines of a quoted field that goes on behind it."""
    quotes = sum(line.count('"') for line in lines)
    length = 0
    while quotes % 2 and length < _LONGEST_QUOTE and (line := stream.readline()):
        lines.append(line)
        length += len(line)
        quotes += line.count('"')
    return lines


def _records(
    lines: list[str], delimiter: str, first_line: int
) -> tuple[list[tuple[int, list[str]]], int | None]:
    """The records of a block with the lines where they begin; the line of one that is still open."""
    reader = csv.reader(chain(lines, (_END,)), delimiter=delimiter, strict=True)
    records: list[tuple[int, list[str]]] = []
    begin = 0
    while begin < len(lines):
        try:
            fields = next(reader)
        except csv.Error:
            if reader.line_num > len(lines):
                return records, first_line + begin  # the end mark stands in an open quote
            # Text behind a closing quote. Within one line that is careless quoting; over several lines it
            # means that a quote was never closed and swallowed the rows behind it.
            if reader.line_num - begin != 1:
                raise _not_closed(first_line + begin) from None
            fields = _carelessly_quoted([lines[begin]], delimiter)
        records.append((first_line + begin, fields))
        begin = reader.line_num
    return records, None
