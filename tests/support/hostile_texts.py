"""Texts that become code where somebody forgets to escape them: each payload in each of five surroundings (T11)."""

from itertools import product

PAYLOADS = (
    # HTML and JavaScript
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "</title><script>x</script>",
    "<iframe srcdoc='<script>alert(1)</script>'>", '<a href="javascript:alert(1)">x</a>', "<base href=//evil.test>",
    "<meta http-equiv=refresh content=0;url=//evil.test>", "<form action=//evil.test><button>", "<!--", "]]>",
    "</bdi></main>", "&lt;script&gt;", "&#60;script&#62;", "%3Cscript%3E", "\\u003cscript\\u003e",
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=alert() )//</stYle/</titLe/--!>\\x3csVg/oNloAd=alert()//>",
    "{{7*7}}", "{{ 7 * 7 }}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{% raw %}",
    # spreadsheets
    "=1+1", "+1+1", "-1+1", "@SUM(1+1)", "\t=1+1", "\r=1+1", '=HYPERLINK("https://evil.test","x")',
    "=cmd|'/C calc'!A0", "＝1+1",
    # headers, logs and lines
    "a\r\nSet-Cookie: x=1", "a\nb", "\r\n\r\n<html>", '{"event":"forged"}', "\x1b[31mred", "\x08\x08\x08", "\x7f",
    # SQL, shells, paths and formats
    "' or 1=1 --", "'; drop table contacts; --", "\\'; select 1; --", "$$; select 1", "%' escape '", "$(reboot)",
    "`reboot`", "; reboot", "| reboot", "../../etc/passwd", "..\\..\\boot.ini", "file:///etc/passwd", "%s%s%n", "%(x)s",
    "{0.__class__}", "{x!r:>99999}",
    # Unicode
    "\u202egpj.exe\u202c", "\u2066x\u2069", "\u200b\u200d\ufeff", "\u2028x\u2029", "\ufff9x\ufffb", "e\u0301" * 20,
    "İıſK", "ß" * 40, "\N{GRINNING FACE}\u200d\N{GRINNING FACE}", "\U000e0001tag", "\ufdd0", "\uffff", "a\x00b",
    # JSON and other documents
    '"', "'", "\\", '","x":"', "}{", "[[[[[[[[", "null", "NaN", "1e999", "\ud7ff\ue000", "#", "?x=1&y=2",
    "/v1/accounts/hp", "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y 'z'>]>&y;",
)  # fmt: skip
SURROUNDINGS = ("{}", "Ann {}", '"{}"', "'>{}", "{} Ann")
HOSTILE_TEXTS = tuple(
    surrounding.replace("{}", payload) for payload, surrounding in product(PAYLOADS, SURROUNDINGS)
)
