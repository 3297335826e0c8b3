"""The words around a return: titles, headings and notes in English and Lao.

What codes mean and ask for stands in the catalogue. The Lao text is a draft translation, not approved
by a Lao speaker; every workbook says so.
"""

from __future__ import annotations

from typing import NamedTuple

from geopipe.catalogue import Language


class Words(NamedTuple):
    """One text in each language."""

    en: str
    lo: str

    def of(self, language: Language) -> str:
        """Return the text in one language."""
        return self.lo if language == "lo" else self.en


TITLE = Words("Records returned for correction", "ລາຍການທີ່ສົ່ງຄືນເພື່ອແກ້ໄຂ")
SENDER = Words("Sender", "ຜູ້ສົ່ງ")
CUTOFF = Words("Newest date of information in these records", "ວັນທີຂໍ້ມູນຫຼ້າສຸດໃນລາຍການເຫຼົ່ານີ້")
NOT_STATED = Words("not stated in the records", "ບໍ່ໄດ້ລະບຸໃນລາຍການ")
FILES = Words("Files received, and what became of their records", "ໄຟລ໌ທີ່ໄດ້ຮັບ ແລະ ຜົນຂອງລາຍການ")
FAULTS = Words("Faults by code", "ຂໍ້ຜິດພາດຕາມລະຫັດ")
NOTES = Words("Only to be known, no answer is needed", "ເພື່ອຮັບຊາບເທົ່ານັ້ນ, ບໍ່ຕ້ອງຕອບ")
TREND = Words("Earlier deliveries", "ການສົ່ງຄັ້ງກ່ອນ")
NOW = Words("this delivery", "ການສົ່ງຄັ້ງນີ້")
FIRST = Words("This is the first delivery seen.", "ນີ້ແມ່ນການສົ່ງຄັ້ງທຳອິດທີ່ໄດ້ຮັບ.")
ANSWER = Words("How to answer", "ວິທີຕອບ")
INSTRUCTIONS = (
    Words(
        "Correct the records in your own data, with the same ids, and send the whole file again.",
        "ກະລຸນາແກ້ໄຂລາຍການໃນຂໍ້ມູນຂອງທ່ານ ໂດຍໃຊ້ລະຫັດເດີມ ແລະ ສົ່ງໄຟລ໌ທັງໝົດຄືນ.",
    ),
    Words(
        "Fill in the last columns of the sheet Records: corrected (yes, no or question), comment, by, date.",
        "ກະລຸນາຕື່ມຖັນສຸດທ້າຍໃນແຜ່ນ Records: ແກ້ໄຂແລ້ວ (yes, no ຫຼື question), ຄຳເຫັນ, ໂດຍ, ວັນທີ.",
    ),
    Words(
        "Returned records are not compared until they are corrected. Questioned records are compared as "
        "they are.",
        "ລາຍການທີ່ສົ່ງຄືນບໍ່ໄດ້ປຽບທຽບຈົນກວ່າຈະແກ້ໄຂ. ລາຍການທີ່ຖືກຖາມຖືກປຽບທຽບຕາມທີ່ໄດ້ຮັບ.",
    ),
    Words(
        "Record number 1 is the first record of its file or layer; in a table that begins with its header "
        "it stands in row 2.",
        "ລາຍການເລກທີ 1 ແມ່ນລາຍການທຳອິດຂອງໄຟລ໌ ຫຼື ຊັ້ນຂໍ້ມູນ; ໃນຕາຕະລາງທີ່ມີຫົວຕາຕະລາງ ແມ່ນແຖວທີ 2.",
    ),
    Words(
        "The GeoPackage of the same name shows the points and outlines on a map (QGIS).",
        "ໄຟລ໌ GeoPackage ຊື່ດຽວກັນສະແດງຈຸດ ແລະ ຂອບເຂດໃນແຜນທີ່ (QGIS).",
    ),
    Words(
        "Originals are never modified. Overlaps with other operators are not listed here; they go to the "
        "working group.",
        "ຂໍ້ມູນຕົ້ນສະບັບບໍ່ຖືກແກ້ໄຂ. ການທັບຊ້ອນກັບອົງກອນອື່ນບໍ່ມີໃນນີ້; ຈະສົ່ງໃຫ້ກຸ່ມວຽກ.",
    ),
)
SAFETY = Words(
    "Areas not shown are not thereby safe.",
    "ພື້ນທີ່ທີ່ບໍ່ໄດ້ສະແດງ ບໍ່ໄດ້ໝາຍຄວາມວ່າປອດໄພ.",
)
DRAFT = Words(
    "The Lao text is a draft translation. If Lao letters do not show, install the font Noto Sans Lao or "
    "Phetsarath OT.",
    "ຂໍ້ຄວາມພາສາລາວເປັນສະບັບຮ່າງ. ຖ້າບໍ່ເຫັນຕົວອັກສອນລາວ ກະລຸນາຕິດຕັ້ງຟອນ Noto Sans Lao ຫຼື Phetsarath OT.",
)

# Headings by column, in the order in which they stand.
COUNTS = {
    "file": Words("File", "ໄຟລ໌"),
    "content_hash": Words("Hash", "ຄ່າແຮຊ"),
    "received": Words("Records received", "ລາຍການທີ່ໄດ້ຮັບ"),
    "kept": Words("Kept", "ຮັກສາໄວ້"),
    "kept_as_reference": Words("Kept as reference (points, lines)", "ເກັບເປັນຂໍ້ມູນອ້າງອີງ (ຈຸດ, ເສັ້ນ)"),
    "duplicate": Words("Duplicates", "ຊ້ຳກັນ"),
    "superseded": Words("Older versions", "ສະບັບເກົ່າ"),
    "returned": Words("Returned", "ສົ່ງຄືນ"),
    "questioned": Words("Questioned (of those not returned)", "ຖືກຖາມ (ໃນຈຳນວນທີ່ບໍ່ໄດ້ສົ່ງຄືນ)"),
}
EARLIER = Words("of an earlier delivery", "ຈາກການສົ່ງຄັ້ງກ່ອນ")
TOTAL = Words("Together", "ລວມ")
CODE = Words("Code", "ລະຫັດຂໍ້ຜິດພາດ")
SEVERITY = Words("Severity", "ລະດັບ")
LINES = Words("Lines", "ຈຳນວນແຖວ")
RECEIVED = Words("Received", "ວັນທີຮັບ")
COLUMNS = {
    "number": Words("No.", "ລຳດັບ"),
    "own_id": Words("Own id", "ລະຫັດຂອງທ່ານ"),
    "file": Words("File", "ໄຟລ໌"),
    "layer": Words("Layer", "ຊັ້ນຂໍ້ມູນ"),
    "row": Words("Record number", "ລາຍການເລກທີ"),
    "outcome": Words("Outcome", "ຜົນ"),
    "kind": Words("Kind", "ປະເພດ"),
    "code": CODE,
    "wrong_en": Words("What is wrong", "What is wrong"),
    "do_en": Words("What to do", "What to do"),
    "wrong_lo": Words("ສິ່ງທີ່ຜິດ", "ສິ່ງທີ່ຜິດ"),
    "do_lo": Words("ສິ່ງທີ່ຕ້ອງເຮັດ", "ສິ່ງທີ່ຕ້ອງເຮັດ"),
    "details": Words("Details", "ລາຍລະອຽດ"),
    "longitude": Words("Longitude (WGS 84)", "ລອງຈິຈູດ"),
    "latitude": Words("Latitude (WGS 84)", "ລາຕິຈູດ"),
    "figure": Words("Figure", "ຕົວເລກ"),
    "unit": Words("Unit", "ຫົວໜ່ວຍ"),
    "severity": SEVERITY,
    "corrected": Words("Corrected?", "ແກ້ໄຂແລ້ວ?"),
    "comment": Words("Comment", "ຄຳເຫັນ"),
    "answered_by": Words("By", "ໂດຍ"),
    "answered_on": Words("Date", "ວັນທີ"),
}
ANSWERS = ("yes", "no", "question")
ANSWER_COLUMNS = ("corrected", "comment", "answered_by", "answered_on")
