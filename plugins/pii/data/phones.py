"""Writes phones.bin: for each region its calling code, its trunk prefix, and which lengths a number may have by its
first two digits. Needs PyPI `phonenumbers` (Apache-2.0, data of Google's libphonenumber).

A record has 206 bytes: region (2), calling code (u16), trunk prefix (2, padded with 0), and for each of the leads 00 to 99 a
u16 whose bit n says that numbers of n digits exist. Regions stand in the order of their letters.
"""
import random
import re
import struct
import sys

import phonenumbers

KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "uan")


def masks(region, rng):
    data = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    out = [0] * 100
    for kind in KINDS:
        desc = getattr(data, kind)
        if desc is None or not desc.national_number_pattern:
            continue
        pattern = re.compile(desc.national_number_pattern)
        for length in desc.possible_length or data.general_desc.possible_length:
            if not 4 <= length <= 15:
                continue
            for lead in range(100):
                if out[lead] & (1 << length):
                    continue
                for _ in range(150):
                    rest = "".join(rng.choice("0123456789") for _ in range(length - 2))
                    if pattern.fullmatch(f"{lead:02d}{rest}"):
                        out[lead] |= 1 << length
                        break
    return data, out


def main():
    rng = random.Random(1)
    with open(sys.argv[1], "wb") as to:
        for region in sorted(phonenumbers.SUPPORTED_REGIONS):
            data, lengths = masks(region, rng)
            trunk = re.sub(r"\D", "", data.national_prefix or "")[:2].encode().ljust(2, b"\0")
            to.write(region.encode() + struct.pack("<H", data.country_code) + trunk)
            to.write(struct.pack("<100H", *lengths))


main()
