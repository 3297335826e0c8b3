"""Where the invented deliveries lie, and how their senders write the names of places.

The boxes lie inside real districts, at least 3 km from any border, so that the
province and district which a record states are the ones in which it is found.
"""

from __future__ import annotations

from typing import NamedTuple

# Equal-area CRS in which everything is constructed and every true area is measured (metres).
EQUAL_AREA_CRS = (
    "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +x_0=500000 +y_0=2000000 +datum=WGS84 +units=m"
)
LON_LAT_CRS = "EPSG:4326"
UTM_47N = "EPSG:32647"
UTM_48N = "EPSG:32648"


class Province(NamedTuple):
    """A province, its spellings and the share of the land work that each operator does in it.

    `busy` says how soon the layout fills the province, `weights` follow the order of `OPERATORS`.
    """

    name: str
    other_spelling: str
    lao: str
    busy: float
    weights: tuple[float, float, float, float, float]

    @property
    def spellings(self) -> tuple[str, str, str]:
        """The usual, another and the Lao spelling of the name."""
        return self.name, self.other_spelling, self.lao


class Box(NamedTuple):
    """A rectangle inside one district: west, south, east, north in degrees (EPSG:4326)."""

    province: str
    district: str
    west: float
    south: float
    east: float
    north: float


OPERATORS = ("UXO Lao", "MAG", "NPA", "HALO", "Unit 58")

PROVINCES = (
    Province("Xieng Khouang", "Xiengkhouang", "ຊຽງຂວາງ", 3.0, (0.45, 0.45, 0.02, 0.03, 0.05)),
    Province("Houaphanh", "Huaphanh", "ຫົວພັນ", 1.0, (0.55, 0.30, 0.05, 0.03, 0.07)),
    Province("Savannakhet", "Savannakhet", "ສະຫວັນນະເຂດ", 2.0, (0.50, 0.15, 0.18, 0.12, 0.05)),
    Province("Khammouane", "Khammouan", "ຄຳມ່ວນ", 1.0, (0.30, 0.55, 0.06, 0.04, 0.05)),
    Province("Salavan", "Saravane", "ສາລະວັນ", 1.0, (0.38, 0.17, 0.38, 0.02, 0.05)),
    Province("Sekong", "Xekong", "ເຊກອງ", 1.0, (0.37, 0.17, 0.40, 0.02, 0.04)),
    Province("Attapeu", "Attapeu", "ອັດຕະປື", 1.0, (0.38, 0.17, 0.38, 0.02, 0.05)),
    Province("Champasak", "Champasack", "ຈຳປາສັກ", 1.0, (0.40, 0.18, 0.34, 0.02, 0.06)),
    Province("Luang Prabang", "Louangphabang", "ຫຼວງພະບາງ", 1.0, (0.62, 0.22, 0.05, 0.02, 0.09)),
)

BOXES = (
    Box("Xieng Khouang", "Mork", 103.94, 18.89, 104.13, 19.17),
    Box("Xieng Khouang", "Kham", 103.50, 19.65, 103.76, 19.85),
    Box("Xieng Khouang", "Khoune", 103.37, 19.19, 103.59, 19.40),
    Box("Xieng Khouang", "Nonghed", 103.87, 19.45, 104.02, 19.72),
    Box("Xieng Khouang", "Phookood", 102.99, 19.62, 103.15, 19.79),
    Box("Xieng Khouang", "Pek", 103.23, 19.52, 103.42, 19.62),
    Box("Houaphanh", "Xamneua", 103.69, 20.32, 104.09, 20.51),
    Box("Houaphanh", "Xon", 103.28, 20.35, 103.47, 20.70),
    Box("Houaphanh", "Huameuang", 103.52, 20.08, 103.90, 20.22),
    Box("Houaphanh", "Xamtay", 104.60, 19.90, 104.81, 20.12),
    Box("Houaphanh", "Hiem", 103.20, 19.98, 103.43, 20.11),
    Box("Houaphanh", "Kuan", 104.30, 19.74, 104.52, 19.87),
    Box("Savannakhet", "Thapangthong", 105.61, 16.00, 105.98, 16.20),
    Box("Savannakhet", "Phine", 105.84, 16.35, 106.16, 16.57),
    Box("Savannakhet", "Sepone", 106.12, 16.69, 106.51, 16.86),
    Box("Savannakhet", "Nong", 106.42, 16.25, 106.60, 16.51),
    Box("Savannakhet", "Atsaphone", 105.19, 16.88, 105.55, 17.01),
    Box("Savannakhet", "Vilabuly", 105.76, 16.85, 106.03, 17.00),
    Box("Khammouane", "Nakay", 104.88, 17.73, 105.58, 17.90),
    Box("Khammouane", "Bualapha", 105.82, 17.11, 106.06, 17.35),
    Box("Khammouane", "Hinboon", 104.49, 17.68, 104.75, 17.85),
    Box("Khammouane", "Mahaxay", 105.16, 17.31, 105.37, 17.44),
    Box("Khammouane", "Xaybuathong", 105.40, 17.15, 105.67, 17.23),
    Box("Khammouane", "Thakhek", 104.84, 17.31, 104.94, 17.49),
    Box("Salavan", "Saravane", 106.28, 15.58, 106.55, 15.81),
    Box("Salavan", "Ta Oi", 106.44, 15.94, 106.72, 16.11),
    Box("Salavan", "Vapy", 105.89, 15.66, 106.06, 15.84),
    Box("Salavan", "Khongxedone", 105.66, 15.49, 105.85, 15.60),
    Box("Salavan", "Lakhonepheng", 105.45, 15.80, 105.70, 15.88),
    Box("Salavan", "Toomlarn", 106.18, 15.96, 106.28, 16.12),
    Box("Sekong", "Kaleum", 106.84, 15.73, 107.16, 16.00),
    Box("Sekong", "Lamarm", 106.66, 15.30, 106.97, 15.52),
    Box("Sekong", "Dakcheung", 107.08, 15.36, 107.31, 15.58),
    Box("Sekong", "Thateng", 106.39, 15.37, 106.54, 15.47),
    Box("Attapeu", "Phouvong", 106.77, 14.48, 107.16, 14.66),
    Box("Attapeu", "Sanxay", 106.95, 15.00, 107.43, 15.13),
    Box("Attapeu", "Sanamxay", 106.36, 14.56, 106.63, 14.72),
    Box("Champasak", "Paksxong", 106.11, 15.07, 106.62, 15.24),
    Box("Champasak", "Pathoomphone", 105.97, 14.58, 106.13, 15.00),
    Box("Champasak", "Moonlapamok", 105.48, 14.23, 105.78, 14.43),
    Box("Champasak", "Sukhuma", 105.58, 14.52, 105.73, 14.74),
    Box("Champasak", "Khong", 105.85, 14.02, 106.08, 14.16),
    Box("Champasak", "Sanasomboon", 105.69, 15.25, 105.79, 15.39),
    Box("Luang Prabang", "Phonxay", 102.46, 19.81, 102.87, 20.00),
    Box("Luang Prabang", "Viengkham", 102.86, 20.25, 103.11, 20.49),
    Box("Luang Prabang", "Xieng Ngeun", 102.15, 19.47, 102.29, 19.77),
    Box("Luang Prabang", "Ngoi", 102.66, 20.52, 102.79, 20.79),
    Box("Luang Prabang", "Phonthong", 102.91, 20.74, 103.19, 20.86),
    Box("Luang Prabang", "Pak Xeng", 102.62, 20.11, 102.75, 20.34),
)

PROVINCE_OF_BOX = tuple([p.name for p in PROVINCES].index(box.province) for box in BOXES)

# Villages in both scripts; common names, which recur all over the country.
VILLAGES = (
    ("Ban Na", "ບ້ານນາ"),
    ("Ban Phonthong", "ບ້ານໂພນທອງ"),
    ("Ban Nongboua", "ບ້ານໜອງບົວ"),
    ("Ban Houayxay", "ບ້ານຫ້ວຍຊາຍ"),
    ("Ban Namkham", "ບ້ານນ້ຳຄຳ"),
    ("Ban Thongmixay", "ບ້ານທົ່ງມີໄຊ"),
    ("Ban Donmai", "ບ້ານດອນໃໝ່"),
    ("Ban Phousy", "ບ້ານພູສີ"),
    ("Ban Nakhoun", "ບ້ານນາຄູນ"),
    ("Ban Viengkham", "ບ້ານວຽງຄຳ"),
    ("Ban Tha", "ບ້ານທ່າ"),
    ("Ban Phonsavan", "ບ້ານໂພນສະຫວັນ"),
)

LAND_USES = (
    ("Agriculture", "ກະສິກຳ"),
    ("Paddy field", "ນາເຂົ້າ"),
    ("Plantation", "ສວນປູກ"),
    ("Development", "ພັດທະນາ"),
    ("Forest", "ປ່າໄມ້"),
    ("School", "ໂຮງຮຽນ"),
)

# Labels of open, worked on, closed.
STATUS_ENGLISH = ("Open", "Worked on", "Closed")
STATUS_LAO = ("ເປີດ", "ກຳລັງດຳເນີນ", "ປິດ")
