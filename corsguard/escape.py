"""Showing what came from outside without letting it forge a line or fill a log."""

__all__ = ["escaped"]

_LONGEST = 120


def escaped(text: str, longest: int = _LONGEST) -> str:
    """Text as printable ASCII of about `longest` characters, what was cut shown by three dots.

    Control characters, line ends and everything outside ASCII become backslash escapes.
    """
    shown = text[:longest].encode("unicode_escape").decode("ascii")
    return shown + "..." if len(text) > longest else shown
