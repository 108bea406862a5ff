"""Spreadsheets and archives of pictures, written by libraries that are not ours."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import openpyxl
import xlwt
from odf import table as odf_table
from odf import text as odf_text
from odf.opendocument import OpenDocumentSpreadsheet
from PIL import Image

Sheets = Mapping[str, Sequence[Sequence[Any]]]
DATE_STYLES = {date: "YYYY-MM-DD", datetime: "YYYY-MM-DD HH:MM:SS", time: "HH:MM:SS", timedelta: "[HH]:MM:SS"}


def xlsx(sheets: Sheets, change: Callable[[openpyxl.Workbook], None] = lambda workbook: None) -> bytes:
    """By openpyxl."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    change(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def xls(sheets: Sheets, change: Callable[[xlwt.Workbook], None] = lambda workbook: None) -> bytes:
    """By xlwt."""
    workbook = xlwt.Workbook()
    for name, rows in sheets.items():
        sheet = workbook.add_sheet(name)
        for at, row in enumerate(rows):
            for place, cell in enumerate(row):
                style = xlwt.easyxf(num_format_str=DATE_STYLES[type(cell)]) if type(cell) in DATE_STYLES else xlwt.XFStyle()
                if cell is not None:
                    sheet.write(at, place, cell, style)
    change(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def ods(sheets: Sheets) -> bytes:
    """By odfpy."""
    document = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        sheet = odf_table.Table(name=name)
        for row in rows:
            line = odf_table.TableRow()
            for cell in row:
                line.addElement(_ods_cell(cell))
            sheet.addElement(line)
        document.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def _ods_cell(value: Any) -> Any:
    if value is None:
        return odf_table.TableCell()
    if isinstance(value, bool):
        given = {"valuetype": "boolean", "booleanvalue": str(value).lower()}
    elif isinstance(value, int | float):
        given = {"valuetype": "float", "value": repr(value)}
    elif isinstance(value, date):
        given = {"valuetype": "date", "datevalue": value.isoformat()}
    elif isinstance(value, time):
        given = {"valuetype": "time", "timevalue": value.strftime("PT%HH%MM%SS")}
    else:
        given = {"valuetype": "string"}
    cell = odf_table.TableCell(**given)
    cell.addElement(odf_text.P(text=str(value)))
    return cell


def archive(members: Mapping[str, bytes]) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def changed(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The archive with one member changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {member: file.read(member) for member in file.namelist()}
    return archive(members | {name: change(members[name])})


def picture(array: np.ndarray, form: str = "png", **options: Any) -> bytes:
    """By Pillow."""
    out = io.BytesIO()
    Image.fromarray(array).save(out, {"jpg": "jpeg"}.get(form, form), **options)
    return out.getvalue()


def pictures(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """An archive of pictures of those names and shapes, each of one grey of its own."""
    return archive(
        {
            name: picture(np.full(shape, place, np.uint8), name.rpartition(".")[2])
            for place, (name, shape) in enumerate(shapes.items())
        }
    )
