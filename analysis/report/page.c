/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * page.c - see page.h.
 */
#include "report/page.h"

#include "figure/figure.h"
#include "report/assets.h"
#include "report/facts.h"
#include "report/html.h"
#include "report/model.h"

#include <string.h>

/* Of pictures for who runs no script, all together; the tables stay. */
#define PICTURES_BYTES_MAX (3u << 19)

static char *title_of(const Cases *cases)
{
    GString *title = g_string_new(NULL);

    for (guint i = 0; i < cases->runs->len; i++) {
        const CasesRun *run = g_ptr_array_index(cases->runs, i);
        g_autofree char *name = database_fact(run->db, "name");

        g_string_append_printf(title, "%s%s", i > 0 ? " and " : "",
                               cases->runs->len > 1 || name == NULL ? run->label : name);
    }
    return g_string_free(title, FALSE);
}

/* Nothing may be loaded, and no script run but the report's own. */
static void add_head(GString *page, const char *title)
{
    g_autofree char *script = html_hash(report_js), *style = html_hash(report_css);

    g_string_append(page, PAGE_BEGIN "<html lang=\"en\"><head><meta charset=\"utf-8\">"
                                     "<meta name=\"viewport\" content=\"width=device-width\">");
    g_string_append_printf(page,
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                           "'none'; script-src '%s'; style-src '%s'; img-src data:; base-uri "
                           "'none'; form-action 'none'\">",
                           script, style);
    html_element(page, "title", NULL, title);
    g_string_append_printf(page, "<style>%s</style></head><body>", report_css);
}

static char *heading_of(const Figure *figure)
{
    return figure->subject != NULL ? g_strdup_printf("%s: %s", figure->title, figure->subject)
                                   : g_strdup(figure->title);
}

static void add_contents(GString *page, const GPtrArray *figures, bool has_replay)
{
    g_string_append(page, "<nav aria-label=\"Contents\"><ul>");
    for (guint i = 0; i < figures->len; i++) {
        const Figure *figure = g_ptr_array_index(figures, i);
        g_autofree char *heading = heading_of(figure);

        g_string_append(page, "<li><a href=\"#");
        html_text(page, figure->name);
        g_string_append(page, "\">");
        html_text(page, heading);
        g_string_append(page, "</a></li>");
    }
    g_string_append_printf(page,
                           "<li><a href=\"#tables\">Tables</a></li>%s"
                           "<li><a href=\"#scenario\">Scenario</a></li></ul></nav>",
                           has_replay ? "<li><a href=\"#replay\">Calls of the trace</a></li>" : "");
}

static void add_picture(GString *page, const char *heading, const char *svg, gsize *bytes)
{
    gsize len = svg != NULL ? strlen(svg) : 0;

    g_string_append(page, "<noscript>");
    if (svg != NULL && *bytes + len <= PICTURES_BYTES_MAX) {
        g_autofree char *base64 = g_base64_encode((const guchar *)svg, len);

        *bytes += len;
        g_string_append(page, "<img alt=\"");
        html_text(page, heading);
        g_string_append_printf(page, "\" src=\"data:image/svg+xml;base64,%s\">", base64);
    } else {
        g_string_append(page, "<p>This figure is drawn by a script; the tables below have its "
                              "numbers, and 'peal plot' draws it too.</p>");
    }
    g_string_append(page, "</noscript>");
}

static void add_figures(GString *page, const GPtrArray *figures, const GPtrArray *pictures)
{
    gsize bytes = 0;

    g_string_append(page,
                    "<h2>Figures</h2><p class=\"hint\">Point at a figure to read it off. After a "
                    "click the wheel zooms (with Ctrl it always does), dragging moves, dragging "
                    "with Shift chooses a part, a double click shows all. By keys: arrows go from "
                    "point to point, + and − zoom, 0 shows all. Names in the key hide and show "
                    "their lines.</p>");
    for (guint i = 0; i < figures->len; i++) {
        const Figure *figure = g_ptr_array_index(figures, i);
        g_autofree char *heading = heading_of(figure);

        g_string_append(page, "<figure id=\"");
        html_text(page, figure->name);
        g_string_append(page, "\">");
        html_element(page, "h3", NULL, heading);
        g_string_append(page, "<div class=\"plot\" id=\"plot-");
        html_text(page, figure->name);
        g_string_append(page, "\"></div>");
        add_picture(page, heading, g_ptr_array_index(pictures, i), &bytes);
        html_element(page, "figcaption", NULL, figure->about);
        g_string_append(page, "</figure>");
    }
}

static void add_data(GString *page, const GPtrArray *figures)
{
    json_t *list = json_array();
    json_t *root = json_pack("{s:o, s:o}", "figures", list, "palette", model_palette());

    for (guint i = 0; i < figures->len; i++) {
        json_array_append_new(list, model_figure(g_ptr_array_index(figures, i)));
    }
    g_string_append(page, "<script type=\"application/json\" id=\"data\">");
    html_json(page, root);
    g_string_append_printf(page, "</script><script>%s</script>", report_js);
    json_decref(root);
}

char *page_text(const Cases *cases, const GPtrArray *figures, const GPtrArray *pictures,
                GError **error)
{
    g_autofree char *title = title_of(cases);
    g_autoptr(GString) page = g_string_new(NULL), replay = g_string_new(NULL);

    add_head(page, title);
    html_element(page, "h1", NULL, title);
    if (!facts_runs(cases, page, error) || !facts_warnings(cases, page, error) ||
        !facts_replay(cases, replay, error)) {
        return NULL;
    }
    add_contents(page, figures, replay->len > 0);
    add_figures(page, figures, pictures);
    g_string_append(page, "<h2 id=\"tables\">Tables</h2>");
    if (!facts_tables(cases, page, error)) {
        return NULL;
    }
    g_string_append_len(page, replay->str, (gssize)replay->len);
    g_string_append(page, "<h2>To run it again</h2>");
    facts_command(cases, page);
    g_string_append(page, "<h2 id=\"scenario\">Scenario: every key in force</h2>");
    if (!facts_keys(cases, page, error)) {
        return NULL;
    }
    add_data(page, figures);
    g_string_append(page, "</body></html>\n");
    return g_string_free(g_steal_pointer(&page), FALSE);
}
