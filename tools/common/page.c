/* SPDX-License-Identifier: MIT */
#include "common/page.h"

#include "common/escape.h"

/* No script at all: names on this page come from the network. */
static const char page_head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char page_style[] =
    ":root{--paper:#fff;--ground:#f5f6f8;--ink:#1d2433;--quiet:#5b6477;--rule:#dfe3ea;"
    "--ok:#2e7d32;--failed:#b71c1c;--incomplete:#8a5a00;--info:#3c5a88;--accent:#1f5fbf}"
    "@media(prefers-color-scheme:dark){:root{--paper:#14171d;--ground:#0d0f13;--ink:#e4e8f0;"
    "--quiet:#9aa4b5;--rule:#2a303b;--ok:#6fcf78;--failed:#ff8a80;--incomplete:#f0bd6a;"
    "--info:#9dbbe8;--accent:#7db1ff}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:1480px;padding:28px 20px 48px;background:var(--ground);"
    "color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',"
    "sans-serif;display:flex;flex-direction:column;overflow-wrap:anywhere}"
    "h1{font-size:1.6em;font-weight:600;line-height:1.25;margin:0}"
    "header p{margin:2px 0 0;color:var(--quiet)}"
    ".totals{margin:18px 0 6px}"
    ".totals dl{display:flex;flex-wrap:wrap;gap:10px 32px;margin:0}"
    ".totals dt{color:var(--quiet);font-size:.87em}"
    ".totals dd{margin:0;font-size:1.33em;font-weight:600;font-variant-numeric:tabular-nums}"
    ".totals p{margin:10px 0 0}"
    ".chip{justify-self:start;border:1px solid;border-radius:99px;padding:0 10px;font-size:.87em;"
    "font-weight:600}"
    ".ok .chip{color:var(--ok)}.failed .chip{color:var(--failed)}"
    ".incomplete .chip{color:var(--incomplete)}"
    ".v,.quiet{color:var(--quiet)}.v{font-size:.87em}"
    ".finding{border-left:3px solid var(--rule);padding:0 0 0 14px;margin:0 0 18px}"
    ".finding.fatal{border-color:var(--failed)}.finding.warning{border-color:var(--incomplete)}"
    ".finding h2{font-size:1.07em;margin:0;line-height:1.35}"
    ".finding p{margin:6px 0 0;max-width:75ch}"
    ".finding small{color:var(--quiet);font-size:.87em}"
    ".fatal small b{color:var(--failed)}.warning small b{color:var(--incomplete)}.info small "
    "b{color:var(--info)}"
    "a{color:var(--accent)}";

void tool_page_text(FILE *to, const char *before, const char *text, const char *after)
{
    fputs(before, to);
    tool_escape(to, text);
    fputs(after, to);
}

void tool_page_begin(FILE *to, const char *title, const char *subject, const char *const *styles)
{
    fputs(page_head, to);
    fprintf(to, "<title>%s: ", title);
    tool_page_text(to, "", subject, "</title>\n<style>");
    fputs(page_style, to);
    for (; *styles; styles++)
        fputs(*styles, to);
    fprintf(to, "</style>\n</head>\n<body>\n<header>\n<h1>%s</h1>\n<p>", title);
    tool_page_text(to, "", subject, "</p>\n</header>\n");
}

void tool_page_end(FILE *to)
{
    fputs("</body>\n</html>\n", to);
}
