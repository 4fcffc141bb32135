"""Languages by file name, and what to look for in the tree of each.

A pattern captures a definition as ``class``, ``function``, ``module`` or ``block``, and what is called as ``call``.
"""

from __future__ import annotations

from typing import Final

_SUFFIXES: Final = {
    "python": ("py", "pyi"),
    "javascript": ("js", "jsx", "mjs", "cjs"),
    "typescript": ("ts", "mts", "cts"),
    "tsx": ("tsx",),
    "java": ("java",),
    "go": ("go",),
    "c": ("c",),
    # Headers may be either, and nearly all of C is C++.
    "cpp": ("cpp", "cc", "cxx", "hpp", "hh", "hxx", "h", "ipp"),
    "csharp": ("cs",),
    "ruby": ("rb", "rake", "gemspec"),
    "php": ("php", "phtml"),
    "rust": ("rs",),
    "kotlin": ("kt", "kts"),
    "bash": ("sh", "bash"),
    "scala": ("scala", "sc"),
    "swift": ("swift",),
    "sql": ("sql",),
    "yaml": ("yaml", "yml"),
    "json": ("json",),
    "hcl": ("hcl", "tf", "tfvars"),
    "toml": ("toml",),
    "html": ("html", "htm"),
    "css": ("css",),
    "scss": ("scss",),
    "xml": ("xml", "svg", "xsd", "xsl", "csproj", "vbproj", "props", "targets"),
    "vue": ("vue",),
    "lua": ("lua",),
    "dart": ("dart",),
    "elixir": ("ex", "exs"),
    "perl": ("pl", "pm"),
    "make": ("mk",),
    "dockerfile": ("dockerfile",),
    "proto": ("proto",),
    "graphql": ("graphql", "gql"),
}
_BY_SUFFIX: Final = {suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes}
_BY_NAME: Final = {
    **dict.fromkeys(("rakefile", "gemfile", "vagrantfile"), "ruby"),
    **dict.fromkeys(("makefile", "gnumakefile"), "make"),
    **dict.fromkeys(("dockerfile", "containerfile"), "dockerfile"),
}

_JAVASCRIPT: Final = """
[(class_declaration) (class)] @class
[(function_declaration) (generator_function_declaration) (method_definition)] @function
(variable_declarator value: [(arrow_function) (function_expression) (generator_function)]) @function
(pair value: [(arrow_function) (function_expression)]) @function
(assignment_expression right: [(arrow_function) (function_expression)]) @function
(call_expression function: (_) @call)
(new_expression constructor: (_) @call)
"""
_TYPESCRIPT: Final = """
[(interface_declaration) (abstract_class_declaration) (enum_declaration) (type_alias_declaration)] @class
[(internal_module) (module)] @module
[(function_signature) (method_signature) (abstract_method_signature)] @function
(public_field_definition value: [(arrow_function) (function_expression)]) @function
"""
_C: Final = """
[(struct_specifier body: (_)) (union_specifier body: (_)) (enum_specifier body: (_))] @class
(type_definition type: [(struct_specifier) (union_specifier) (enum_specifier)]) @class
[(function_definition) (preproc_function_def)] @function
(declaration declarator: (function_declarator)) @function
(declaration declarator: (pointer_declarator declarator: (function_declarator))) @function
(call_expression function: (_) @call)
"""

PATTERNS: Final = {
    "python": """
        (class_definition) @class
        (function_definition) @function
        (call function: (_) @call)
    """,
    "javascript": f"{_JAVASCRIPT} (field_definition value: [(arrow_function) (function_expression)]) @function",
    "typescript": f"{_JAVASCRIPT} {_TYPESCRIPT}",
    "tsx": f"""{_JAVASCRIPT} {_TYPESCRIPT}
        (jsx_opening_element name: (_) @call)
        (jsx_self_closing_element name: (_) @call)
    """,
    "java": """
        [(class_declaration) (interface_declaration) (enum_declaration) (record_declaration)
         (annotation_type_declaration)] @class
        [(method_declaration) (constructor_declaration) (compact_constructor_declaration)] @function
        (method_invocation name: (_) @call)
        (object_creation_expression type: (_) @call)
    """,
    "go": """
        (type_spec) @class
        [(function_declaration) (method_declaration)] @function
        (call_expression function: (_) @call)
    """,
    "c": _C,
    "cpp": f"""{_C}
        (class_specifier body: (_)) @class
        (namespace_definition) @module
        (field_declaration declarator: (function_declarator)) @function
    """,
    "csharp": """
        [(class_declaration) (interface_declaration) (struct_declaration) (record_declaration)
         (enum_declaration)] @class
        (namespace_declaration) @module
        [(method_declaration) (constructor_declaration) (destructor_declaration) (property_declaration)
         (local_function_statement) (operator_declaration)] @function
        (invocation_expression function: (_) @call)
        (object_creation_expression type: (_) @call)
    """,
    "ruby": """
        (class) @class
        (module) @module
        [(method) (singleton_method)] @function
        (call method: (_) @call)
    """,
    "php": """
        [(class_declaration) (interface_declaration) (trait_declaration) (enum_declaration)] @class
        [(method_declaration) (function_definition)] @function
        (function_call_expression function: (_) @call)
        (member_call_expression name: (_) @call)
        (nullsafe_member_call_expression name: (_) @call)
        (scoped_call_expression name: (_) @call)
        (object_creation_expression [(name) (qualified_name)] @call)
    """,
    "rust": """
        [(impl_item) (struct_item) (trait_item) (enum_item) (union_item)] @class
        (mod_item body: (_)) @module
        [(function_item) (function_signature_item) (macro_definition)] @function
        (call_expression function: (_) @call)
        (macro_invocation macro: (_) @call)
    """,
    "kotlin": """
        [(class_declaration) (object_declaration) (companion_object)] @class
        [(function_declaration) (secondary_constructor)] @function
        (call_expression . (_) @call)
    """,
    "bash": """
        (function_definition) @function
        (command name: (_) @call)
    """,
    "scala": """
        [(class_definition) (object_definition) (trait_definition) (enum_definition)] @class
        [(function_definition) (function_declaration)] @function
        (call_expression function: (_) @call)
        (instance_expression (_) @call)
    """,
    "swift": """
        [(class_declaration) (protocol_declaration)] @class
        [(function_declaration) (init_declaration) (protocol_function_declaration)] @function
        (call_expression . (_) @call)
    """,
    "sql": """
        [(create_table) (create_view) (create_materialized_view) (create_type)] @class
        (create_function) @function
        (invocation (object_reference) @call)
    """,
    "yaml": "",
    "json": "",
    "hcl": """
        (block) @block
        (function_call . (_) @call)
    """,
    "toml": "[(table) (table_array_element)] @block",
    # Of these only whether they parse is asked.
    **dict.fromkeys(
        ("html", "css", "scss", "xml", "vue", "lua", "dart", "elixir", "perl", "make", "dockerfile", "proto"),
        "",
    ),
    "graphql": "",
}


def language_of(path: str) -> str | None:
    """Return the language of the file at *path*, None if there is no grammar for it."""
    name = path.rsplit("/", 1)[-1].lower()
    return _BY_NAME.get(name) or _BY_SUFFIX.get(name.rpartition(".")[2] if "." in name else "")
