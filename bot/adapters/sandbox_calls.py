"""The system calls that a program in the sandbox goes without: those that reach the kernel's rarely used corners.

The namespaces keep it away from the machine; this makes the kernel itself a smaller target. Unlike the filter for
scanners it leaves threads, modes of files, and sockets of the usual families alone, since tests need them.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence

_X86, _ARM = 0xC000003E, 0xC00000B7
_COLUMNS = {"x86_64": (_X86, 0), "aarch64": (_ARM, 1)}
_NEWEST_X86_CALL = 0x3FFFFFFF
_ALLOW, _KILL_PROCESS, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16

#: By number on x86_64 and aarch64; None where there is none.
_FORBIDDEN: tuple[tuple[int | None, int | None], ...] = (
    (425, 425), (426, 426), (427, 427),  # io_uring
    (101, 117), (310, 270), (311, 271),  # ptrace, process_vm_*
    (272, 97), (308, 268), (165, 40), (166, 39), (155, 41), (161, 51),  # namespaces, mounts, chroot
    (428, 428), (429, 429), (430, 430), (431, 431), (432, 432), (433, 433), (442, 442),  # mounts by descriptor
    (248, 217), (249, 218), (250, 219),  # keys, which no namespace holds
    (321, 280), (298, 241), (323, 282),  # bpf, perf_event_open, userfaultfd
    (304, 265), (303, 264),  # files by handle
    (175, 105), (313, 273), (176, 106), (246, 104), (320, 294), (169, 142),  # modules, kexec, reboot
    (167, 224), (168, 225), (163, 89), (179, 60), (103, 116), (227, 112), (305, 266), (159, 171),  # the machine's own
)  # fmt: skip
_CLONE, _CLONE3 = (56, 220), (435, 435)
_NEW_NAMESPACES = 0x7E020000
_SOCKET = (41, 198)
#: Sockets that a network namespace holds. Others lead past it, as those of virtual machines to their host do.
_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _when(number: int | None, *then: bytes) -> bytes:
    body = b"".join(then)
    return b"" if number is None else _instruction(_EQUAL, number, 0, len(body) // 8) + body


def _one_of(values: Sequence[int], then: bytes, otherwise: bytes) -> list[bytes]:
    """Return what ends with *then* if the first argument is one of *values*, with *otherwise* if it is not."""
    tests = [_instruction(_EQUAL, value, len(values) - at, 0) for at, value in enumerate(values)]
    return [_instruction(_LOAD, _FIRST_ARGUMENT_AT), *tests, otherwise, then]


def call_filter(machine: str | None = None) -> bytes:
    """Return the filter as bubblewrap takes it, empty on a machine whose numbers are not known here."""
    known = _COLUMNS.get(machine or os.uname().machine)
    if known is None:
        return b""
    architecture, column = known
    no = _instruction(_RETURN, _REFUSE | errno.EPERM)
    gone = _instruction(_RETURN, _REFUSE | errno.ENOSYS)
    yes = _instruction(_RETURN, _ALLOW)
    return b"".join(
        [
            _instruction(_LOAD, _ARCHITECTURE_AT),
            _instruction(_EQUAL, architecture, 1, 0),
            _instruction(_RETURN, _KILL_PROCESS),
            _instruction(_LOAD, _NUMBER_AT),
            # The same calls by the numbers of the x32 ABI.
            _instruction(_GREATER, _NEWEST_X86_CALL, 0, 1),
            gone,
            # Its flags are out of sight; the C library goes on with clone.
            _when(_CLONE3[column], gone),
            *(_when(numbers[column], no) for numbers in _FORBIDDEN),
            _when(
                _SOCKET[column], *_one_of(_FAMILIES, yes, _instruction(_RETURN, _REFUSE | errno.EAFNOSUPPORT))
            ),
            _when(
                _CLONE[column],
                _instruction(_LOAD, _FIRST_ARGUMENT_AT),
                _instruction(_ANY_BIT, _NEW_NAMESPACES, 0, 1),
                no,
                yes,
            ),
            yes,
        ]
    )
