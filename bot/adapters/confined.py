"""Start a program that sees little and can do little: ``python -IS confined.py OPTIONS... -- PROGRAM ARGUMENTS...``.

A script of its own, without imports of ours, since it runs between a tool and the process that wants it run.
It takes away, as far as this kernel can, and for good:

- files: all but those that the options name (Landlock, Linux 5.13);
- TCP, abstract sockets and signals to others (Landlock of Linux 6.7 and 6.12);
- sockets altogether, processes of its own, other processes, namespaces, shared memory that outlives it, modes and
  owners of files, and every system call made after Linux 5.17 (seccomp).

Neither needs privileges, so they hold where namespaces are refused, as in most containers.

Options: ``-r PATH`` may be read, ``-x PATH`` read and run, ``-w PATH`` changed too, with all below it; ``-f`` allows
processes of its own, which stay in its process group. ``-p`` prints what this kernel can do and ends.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys

FAILED = 125  # the exit code when the program was not started

_NO_NEW_PRIVS, _CAPBSET_DROP = 38, 24
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_TRUNCATE = 1 << 14
_ANY_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _READ_FILE | _READ_DIR
#: No links, pipes, sockets or devices, even where it may write.
_CHANGE = _READ | _WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG
_RIGHTS = {"-r": _READ, "-x": _READ | _EXECUTE, "-w": _CHANGE}
#: How many rights on files each version of Landlock knows.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_FILE_RIGHTS = 16
_TCP_ABI, _SCOPE_ABI = 4, 6

#: What any dynamically linked program needs.
SYSTEM = (
    ("-r", "/lib"), ("-r", "/lib64"), ("-r", "/usr/lib"), ("-r", "/usr/lib64"), ("-r", "/usr/local/lib"),
    ("-r", "/etc/ld.so.cache"), ("-r", "/etc/ld.so.preload"), ("-r", "/etc/localtime"), ("-r", "/usr/share/zoneinfo"),
    ("-r", "/dev/urandom"), ("-r", "/dev/random"), ("-r", "/dev/zero"), ("-w", "/dev/null"),
    ("-x", "/lib64/ld-linux-x86-64.so.2"), ("-x", "/lib/ld-linux-aarch64.so.1"),
    ("-x", "/lib/ld-musl-x86_64.so.1"), ("-x", "/lib/ld-musl-aarch64.so.1"),
)  # fmt: skip

_X86, _ARM = 0xC000003E, 0xC00000B7
_ARCHITECTURES = {"x86_64": (_X86, 0), "aarch64": (_ARM, 1)}
_SECCOMP = (317, 277)
_NEWEST_CALL = 450
#: System calls by number on x86_64 and aarch64; None where there is none.
_FORBIDDEN: tuple[tuple[int | None, int | None], ...] = (
    (41, 198),  # socket
    (425, 425), (426, 426), (427, 427),  # io_uring, which does what others may not
    (109, 154), (112, 157),  # setpgid, setsid: it could leave the group that is killed
    (101, 117), (310, 270), (311, 271), (312, 272),  # ptrace, process_vm_*, kcmp
    (434, 434), (438, 438), (424, 424), (440, 440), (448, 448),  # pidfds, process_madvise, process_mrelease
    (200, 130), (129, 138), (297, 240),  # tkill, rt_sigqueueinfo, rt_tgsigqueueinfo
    (203, 122), (144, 119), (142, 118), (314, 274), (141, 140), (251, 30),  # schedule others
    (256, 238), (279, 239),  # migrate_pages, move_pages
    (272, 97), (308, 268), (165, 40), (166, 39), (155, 41), (161, 51),  # namespaces, mounts, chroot
    (428, 428), (429, 429), (430, 430), (431, 431), (432, 432), (433, 433), (442, 442),  # mounts by descriptor
    (90, None), (91, 52), (268, 53), (92, None), (93, 55), (94, None), (260, 54),  # modes and owners
    (132, None), (235, None), (261, None), (280, 88),  # times
    (188, 5), (189, 6), (190, 7), (197, 14), (198, 15), (199, 16),  # extended attributes
    (29, 194), (68, 186), (64, 190), (240, 180), (319, 279), (447, 447),  # memory and queues that nobody counts
    (248, 217), (249, 218), (250, 219),  # keys
    (321, 280), (298, 241), (323, 282), (300, 262), (253, None), (294, 26),  # bpf, perf, userfaultfd, watches
    (303, 264), (304, 265), (179, 60), (443, 443), (163, 89), (167, 224), (103, 116), (135, 92),
)  # fmt: skip
_CLONE, _CLONE3, _FORK, _VFORK = (56, 220), (435, 435), (57, None), (58, None)
_CLONE_THREAD, _CLONE_NAMESPACES = 0x10000, 0x7E020000
#: These may be about the program itself only.
_KILL, _TGKILL, _PRLIMIT = (62, 129), (234, 131), (302, 261)
#: Calls and second arguments: being sent signals in another's name, and typing at a terminal.
_FORBIDDEN_ARGUMENTS = (
    *(((72, 25), value) for value in (8, 15)),
    *(((16, 29), value) for value in (0x8901, 0x8902, 0x5412, 0x541C)),
)

_ALLOW, _KILL_PROCESS, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_SET, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    """Hold a filter as the kernel wants it."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def landlock_abi() -> int:
    """Return the version of Landlock here, 0 without it."""
    return max(0, int(_libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)))


def seccomp_works() -> bool:
    """Say whether this kernel filters system calls, and their numbers are known here."""
    if os.uname().machine not in _ARCHITECTURES:
        return False
    # Without a filter to read, a kernel that can filter complains about the address.
    return _libc.prctl(22, 2, None, 0, 0) == -1 and ctypes.get_errno() == errno.EFAULT


def _call(number: int, *arguments: object) -> int:
    result: int = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def restrict_files(abi: int, rules: list[tuple[str, str]]) -> None:
    """Leave of all files those that *rules* name; what does not exist is left out."""
    handled = (1 << _FILE_RIGHTS.get(abi, _NEWEST_FILE_RIGHTS)) - 1
    attributes = struct.pack("QQQ", handled, 3 if abi >= _TCP_ABI else 0, 3 if abi >= _SCOPE_ABI else 0)
    size = 24 if abi >= _SCOPE_ABI else 16 if abi >= _TCP_ABI else 8
    ruleset = _call(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0)
    for option, path in rules:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rights = _RIGHTS[option] & handled
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _ANY_FILE
        _call(_LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", rights, place), 0)
        os.close(place)
    _call(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _refuse(error: int) -> bytes:
    return _instruction(_RETURN, _REFUSE | error)


def _when(number: int | None, *then: bytes) -> bytes:
    """Return instructions for the call *number*; *then* must end in a return."""
    if number is None:
        return b""
    body = b"".join(then)
    return _instruction(_JUMP_EQUAL, number, 0, len(body) // 8) + body


def _argument(index: int) -> bytes:
    # The lower half: none of these arguments has an upper one.
    return _instruction(_LOAD, _ARGUMENTS_AT + 8 * index)


def _only_own(pid: int) -> tuple[bytes, ...]:
    own = (0, pid)
    return (
        _argument(0),
        *(_instruction(_JUMP_EQUAL, value, len(own) - place) for place, value in enumerate(own)),
        _refuse(errno.EPERM),
        _instruction(_RETURN, _ALLOW),
    )


def call_filter(machine: str, *, forks: bool, pid: int, signals: bool) -> bytes:
    """Return the filter: with *signals* it may signal other processes, which must then be harmless otherwise."""
    architecture, column = _ARCHITECTURES[machine]
    no, gone, yes = _refuse(errno.EPERM), _refuse(errno.ENOSYS), _instruction(_RETURN, _ALLOW)
    parts = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_EQUAL, architecture, 1, 0),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER_AT),
        # Also the numbers of the x32 ABI, which are the same calls by another name.
        _instruction(_JUMP_GREATER, _NEWEST_CALL, 0, 1),
        gone,
        _when(_CLONE3[column], gone),  # its flags are out of sight; the C library goes on with clone
    ]
    parts += [_when(numbers[column], no) for numbers in _FORBIDDEN]
    if forks:
        cloning = (_argument(0), _instruction(_JUMP_SET, _CLONE_NAMESPACES, 0, 1), no, yes)
    else:
        cloning = (_argument(0), _instruction(_JUMP_SET, _CLONE_THREAD, 1, 0), no, yes)
        parts += [_when(_FORK[column], no), _when(_VFORK[column], no)]
    parts.append(_when(_CLONE[column], *cloning))
    about_others = (_PRLIMIT,) if signals else (_PRLIMIT, _KILL, _TGKILL)
    parts += [_when(numbers[column], *_only_own(pid)) for numbers in about_others]
    for numbers, value in _FORBIDDEN_ARGUMENTS:
        check = (_argument(1), _instruction(_JUMP_EQUAL, value, 0, 1), no, _instruction(_LOAD, _NUMBER_AT))
        body = b"".join(check)
        parts.append(_instruction(_JUMP_EQUAL, numbers[column], 0, len(body) // 8) + body)
    return b"".join([*parts, yes])


def restrict_calls(instructions: bytes) -> None:
    """Take away the system calls that the filter refuses."""
    program = _Program(len(instructions) // 8, instructions)
    number = _SECCOMP[_ARCHITECTURES[os.uname().machine][1]]
    spec_allow = 4  # the program is ours, only its input is not; else older kernels slow it down
    try:
        _call(number, 1, spec_allow, ctypes.byref(program))
    except OSError:
        _call(number, 1, 0, ctypes.byref(program))


def _options(words: list[str]) -> tuple[list[tuple[str, str]], bool, list[str]]:
    rules, forks = list(SYSTEM), False
    while (word := words.pop(0)) != "--":
        if word == "-f":
            forks = True
        else:
            rules.append((word, words.pop(0)))
    return rules, forks, words


def main(words: list[str]) -> None:
    """Give up what can be given up, and become the program."""
    abi, filters = landlock_abi(), seccomp_works()
    if words == ["-p"]:
        sys.stdout.write(f"landlock {abi} seccomp {int(filters)}\n")
        return
    rules, forks, argv = _options(words)
    for capability in range(64):  # of root, and of the user namespace; others have none to drop
        _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if abi:
        restrict_files(abi, [*rules, ("-x", argv[0])])
    if filters:
        signals = forks and abi >= _SCOPE_ABI
        restrict_calls(call_filter(os.uname().machine, forks=forks, pid=os.getpid(), signals=signals))
    os.execv(argv[0], argv)  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as failure:
        sys.stderr.write(f"cannot confine the program: {failure}\n")
        sys.exit(FAILED)
