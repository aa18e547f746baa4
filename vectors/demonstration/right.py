"""A relocator for the checker to be shown on: a few relocations of 32-bit ARM, little-endian, done right. Others it does not know.

SPDX-License-Identifier: MIT OR Apache-2.0
"""

SHIFT = 2  # By how many bits the offset of an A32 branch is shifted.

ABS32, REL32, CALL, JUMP24, PREL31, MOVW_ABS_NC, MOVT_ABS = 2, 3, 28, 29, 42, 43, 44


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def branch(v, word, x):
    is_call = v["number"] == CALL
    function = v["symbol"]["type"] != "label"
    if v["T"] and not is_call:
        return "state"
    blx = v["T"] if function else word >> 28 == 0xF
    if not -(1 << 25) <= x < 1 << 25:
        return "out-of-range"
    if not blx and x & 3:
        return "misaligned"
    if is_call and function:
        word = 0xFA000000 if blx else 0xEB000000
    if blx:
        word = word & ~(1 << 24) | (x >> 1 & 1) << 24
    return word & ~0xFFFFFF | x >> SHIFT & 0xFFFFFF


def relocate(v, place):
    if v["big_endian"] or v["number"] not in (ABS32, REL32, CALL, JUMP24, PREL31, MOVW_ABS_NC, MOVT_ABS):
        return None
    word = int.from_bytes(place, "little")
    total = (v["S"] + v["A"]) & 0xFFFFFFFF
    with_thumb = total | v["T"]
    x = signed(with_thumb - v["P"], 32)
    if v["number"] == ABS32:
        result = with_thumb
    elif v["number"] == REL32:
        result = x
    elif v["number"] == PREL31:
        if not -(1 << 30) <= x < 1 << 30:
            return "out-of-range"
        result = word & 1 << 31 | x & 0x7FFFFFFF
    elif v["number"] in (MOVW_ABS_NC, MOVT_ABS):
        half = with_thumb & 0xFFFF if v["number"] == MOVW_ABS_NC else total >> 16
        result = word & ~0xF0FFF | (half & 0xF000) << 4 | half & 0xFFF
    else:
        result = branch(v, word, x)
    return result if isinstance(result, str) else (result & 0xFFFFFFFF).to_bytes(4, "little")
