"""Texts that people write in Markdown: rendered, then cleaned, whoever wrote them.

Rendering knows no raw HTML and no images (a picture from elsewhere would tell its owner who reads
the page, and the Content-Security-Policy refuses it). Cleaning is a second wall, should the
renderer ever let something through. Headings start at the third level, below those of the page.
"""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

TAGS = {
    "p", "br", "hr", "strong", "em", "s", "blockquote", "code", "pre",
    "ul", "ol", "li", "a", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
FIRST_HEADING = 3

_parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_parser.disable(["image", "html_block", "html_inline"])


def render_markdown(text: str) -> Markup:
    """Safe HTML of ``text``; an empty text gives nothing."""
    tokens = _parser.parse(text)
    _lower_headings(tokens)
    html = _parser.renderer.render(tokens, _parser.options, {})
    cleaned = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener nofollow"
    )
    return Markup(cleaned)  # noqa: S704 - cleaned on the line above


def plain_text(text: str) -> str:
    """``text`` without its marks, for mails and letters: paragraphs apart, lists with dashes."""
    blocks: list[str] = []
    lists: list[int | None] = []
    prefix = ""
    for token in _parser.parse(text):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            start = int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else None
            lists.append(start)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            number = lists[-1]
            indent = "  " * (len(lists) - 1)
            prefix = f"{indent}– " if number is None else f"{indent}{number}. "
            if number is not None:
                lists[-1] = number + 1
        elif token.type == "inline":
            blocks.append(prefix + _inline_text(token))
            prefix = ""
        elif token.type in ("fence", "code_block"):
            blocks.append(token.content.rstrip())
    return "\n\n".join(block for block in blocks if block.strip())


def _inline_text(token: Token) -> str:
    parts: list[str] = []
    target = ""
    for child in token.children or []:
        if child.type in ("softbreak", "hardbreak"):
            parts.append("\n" if child.type == "hardbreak" else " ")
        elif child.type == "link_open":
            target = str(child.attrs.get("href", ""))
        elif child.type == "link_close":
            # A reader on paper cannot press a link: print where it leads.
            if target and target not in "".join(parts):
                parts.append(f" ({target})")
        else:
            parts.append(child.content)
    return "".join(parts)


def _lower_headings(tokens: list[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            level = min(6, int(token.tag[1]) + FIRST_HEADING - 1)
            token.tag = f"h{level}"
