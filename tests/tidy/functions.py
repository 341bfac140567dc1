"""Finds the functions of a C or C++ text by counting braces: no parser, and none needed for a length limit."""
import re

# Raw strings, strings, characters (not the ' of 1'000), comments.
TOKENS = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    r"|//[^\n]*"
    r"|/\*.*?\*/",
    re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
ATTRIBUTE = re.compile(r"\[\[.*?\]\]|"
                       r"\b(?:alignas|__attribute__|requires|noexcept)\s*\((?:[^()]|\([^()]*\))*\)", re.DOTALL)
CONTAINER = re.compile(r"^(?:inline|static|typedef|export|constexpr|const|friend|\s)*"
                       r"(?P<kind>namespace|class|struct|union|enum|extern)\b(?P<rest>.*)$", re.DOTALL)


def blank(match):
    """The same number of lines, without the text."""
    return " " + "\n" * match.group().count("\n")


def without_template(header):
    """The header without its leading template<...> lists."""
    header = header.strip()
    while header.startswith("template"):
        depth, start = 0, header.find("<")
        if start < 0:
            return header
        for at in range(start, len(header)):
            depth += {"<": 1, ">": -1}.get(header[at], 0)
            if depth == 0:
                break
        header = header[at + 1:].strip()
    return header


def opens_container(header):
    """A namespace, class, struct, union, enum or extern "C" block; not a function that returns such a type."""
    match = CONTAINER.match(without_template(ATTRIBUTE.sub(" ", header)))
    if not match:
        return False
    if match["kind"] in ("namespace", "enum"):
        return True
    return "(" not in match["rest"].split(":", 1)[0] and not match["rest"].rstrip().endswith("=")


def opens_function(header):
    """At the level of a namespace or a class, any other block with a parameter list. Empty: after an init list."""
    header = header.strip()
    return header == "" or (")" in header and not header.endswith("="))


def long_functions(text, lines_max):
    """(first line, length) of each function longer than lines_max."""
    text = DIRECTIVE.sub(blank, TOKENS.sub(blank, text))
    found, inner, line = [], 0, 1  # inner: how many braces deep inside a function or a value.
    header, header_line, first_line = "", 1, None
    for char in text:
        if char == "\n":
            line += 1
        if inner:
            inner += {"{": 1, "}": -1}.get(char, 0)
            if inner == 0:
                length = line - (first_line or line) + 1
                if first_line and length > lines_max:
                    found.append((first_line, length))
                header = ""
        elif char == "{":
            if not opens_container(header):
                inner, first_line = 1, (header_line if header.strip() else line) if opens_function(header) else None
            else:
                header = ""
        elif char in ";}":
            header = ""
        else:
            if not header.strip():
                header, header_line = "", line
            header += char
    return found
