"""Which of Semgrep's languages a file is written in, by its name and its first lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

#: Semgrep's name of a language -> names of the files that are parsed as that language.
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "apex": ("*.cls", "*.trigger"),
    "bash": ("*.sh", "*.bash", "*.ksh", ".bashrc", ".bash_profile", ".profile", "*.bats"),
    "c": ("*.c", "*.h"),
    "cairo": ("*.cairo",),
    "circom": ("*.circom",),
    "clojure": ("*.clj", "*.cljs", "*.cljc"),
    "cpp": ("*.cc", "*.cpp", "*.cxx", "*.c++", "*.h", "*.hh", "*.hpp", "*.hxx", "*.inl", "*.ipp", "*.tpp"),
    "csharp": ("*.cs",),
    "dart": ("*.dart",),
    "dockerfile": (
        *("Dockerfile", "Dockerfile.*", "Dockerfile-*", "*.Dockerfile", "*.dockerfile", "dockerfile"),
        *("Containerfile", "Containerfile.*", "*.Containerfile", "*.containerfile"),
    ),
    "elixir": ("*.ex", "*.exs"),
    "generic": ("*",),
    "go": ("*.go",),
    "html": ("*.html", "*.htm", "*.xhtml"),
    "java": ("*.java",),
    "javascript": ("*.js", "*.jsx", "*.mjs", "*.cjs"),
    "json": ("*.json", "*.webmanifest"),
    "jsonnet": ("*.jsonnet", "*.libsonnet"),
    "julia": ("*.jl",),
    "kotlin": ("*.kt", "*.kts"),
    "lisp": ("*.lisp", "*.cl", "*.el"),
    "lua": ("*.lua",),
    "objc": ("*.m",),
    "ocaml": ("*.ml", "*.mli"),
    "php": ("*.php", "*.phtml", "*.phpt"),
    "powershell": ("*.ps1", "*.psm1", "*.psd1"),
    "promql": ("*.promql",),
    "protobuf": ("*.proto",),
    "python": ("*.py", "*.pyi", "*.pyw", "*.wsgi", "SConstruct", "SConscript"),
    "r": ("*.r", "*.R"),
    "regex": ("*",),
    "ruby": ("*.rb", "*.rake", "*.gemspec", "*.ru", "Gemfile", "Rakefile", "Vagrantfile", "Podfile"),
    "rust": ("*.rs",),
    "scala": ("*.scala", "*.sc", "*.sbt"),
    "scheme": ("*.scm", "*.ss"),
    "solidity": ("*.sol",),
    "swift": ("*.swift",),
    "terraform": ("*.tf", "*.tofu", "*.tfvars", "*.hcl"),
    "typescript": ("*.ts", "*.tsx", "*.mts", "*.cts"),
    "vue": ("*.vue",),
    "xml": (
        "*.xml",
        "*.csproj",
        "*.props",
        "web.config",
        "app.config",
        "*.xsd",
        "*.xsl",
        "*.xslt",
        "*.plist",
    ),
    "yaml": ("*.yaml", "*.yml"),
}

#: Other names that rules use -> the one in ``LANGUAGES``.
ALIASES: Mapping[str, str] = {
    "c#": "csharp",
    "c++": "cpp",
    "docker": "dockerfile",
    "ex": "elixir",
    "golang": "go",
    "hcl": "terraform",
    "js": "javascript",
    "kt": "kotlin",
    "none": "regex",
    "objective-c": "objc",
    "objectivec": "objc",
    "proto": "protobuf",
    "proto3": "protobuf",
    "py": "python",
    "python2": "python",
    "python3": "python",
    "sh": "bash",
    "sol": "solidity",
    "spacegrep": "generic",
    "tf": "terraform",
    "ts": "typescript",
}

#: Programs that a script without a suffix may name in its first line.
_INTERPRETERS: Mapping[str, str] = {
    **dict.fromkeys(("bash", "dash", "ksh", "sh"), "bash"),
    "lua": "lua",
    "node": "javascript",
    "php": "php",
    "pwsh": "powershell",
    "python": "python",
    "ruby": "ruby",
}
_SHEBANG = re.compile(
    rb"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-S[ \t]+)?)?(?:[\w./-]*/)?([a-z]+)[\d.]*(?:[ \t\r\n]|$)"
)
_CPP = re.compile(
    rb"^[ \t]*(?:class|namespace|template|using|public:|private:|protected:|extern \"C\+\+\")|\w::\w|\bstd::",
    re.MULTILINE,
)
_HEAD_BYTES = 64_000


def languages_of(path: str, content: bytes | None = None) -> tuple[str, ...]:
    """Return every language as which the file may have to be analysed, in a fixed order.

    With its *content* the answer is exact where the name is not: C headers that are C++, and scripts
    that name their interpreter instead of having a suffix.
    """
    name = PurePosixPath(path).name
    named = tuple(
        language
        for language, patterns in LANGUAGES.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    )
    if name.endswith(".h") and content is not None:
        other = "c" if _CPP.search(content[:_HEAD_BYTES]) else "cpp"
        return tuple(language for language in named if language != other)
    if "." in name.lstrip(".") or any(LANGUAGES[language] != ("*",) for language in named):
        return named
    scripted = _INTERPRETERS.values() if content is None else _interpreter(content)
    return tuple(language for language in LANGUAGES if language in named or language in scripted)


def _interpreter(content: bytes) -> tuple[str, ...]:
    found = _SHEBANG.match(content[:200])
    language = _INTERPRETERS.get(found[1].decode()) if found else None
    return (language,) if language else ()
