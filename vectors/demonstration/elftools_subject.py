"""pyelftools' RelocationHandler as a relocator: it gets the vector's object, with the place where the vector has it.

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import io

from elftools.common.exceptions import ELFRelocationError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationHandler


class Memory(io.BytesIO):
    """Bytes that begin at an address."""

    def __init__(self, data, address):
        super().__init__(data)
        self.address = address

    def seek(self, offset, whence=io.SEEK_SET):
        return super().seek(offset - self.address if whence == io.SEEK_SET else offset, whence)


def known(handler, elf, relocation):
    """Whether it has a recipe for the relocation, in whatever record it is."""
    recipes = handler._RELOCATION_RECIPES_ARM if elf.get_machine_arch() == "ARM" else handler._RELOCATION_RECIPES_AARCH64
    return relocation["r_info_type"] in recipes


def relocate(v, place):
    if "object" not in v or not place:
        return None
    elf = ELFFile(io.BytesIO(v["object"].read_bytes()))
    handler = RelocationHandler(elf)
    section = elf.get_section_by_name(".place")
    table = next(table for table in elf.iter_sections() if table["sh_type"] in ("SHT_REL", "SHT_RELA")
                 and elf.get_section(table["sh_info"]) == section)
    symbols = elf.get_section(table["sh_link"])
    relocation = next(table.iter_relocations())
    # It knows no addresses of sections: the offset is the address of the place, and a symbol has the vector's.
    relocation.entry["r_offset"] = v["P"]
    symbol = symbols.get_symbol(relocation["r_info_sym"])
    if symbol["st_shndx"] != "SHN_ABS":
        return None
    # Data of a big-endian object is in the order of memory; code of ARM is not.
    memory = Memory(section.data()[v["offset"]:v["offset"] + len(place)], v["P"])
    try:
        handler._do_apply_relocation(memory, relocation, symbols)
    except ELFRelocationError as error:
        return str(error) if known(handler, elf, relocation) else None
    return memory.getvalue()
