/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_browser.c - `peal report` in headless Chromium: what is drawn, read off, zoomed; what is not
 * run or loaded.
 */
#include "chromium.h"

#include <analysis/recorder.h>
#include <analysis/report.h>
#include <analysis/results.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <peal_test.h>
#include <unistd.h>

#include "analysis/recording.h"

/* Texts of the scenario that would run, did the page take them for markup. */
#define HOSTILE "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"

static Chromium *browser;
static char *page;

/* A sweep over two keys, three replications each, with an event. */
static char *make_results(void)
{
    char *dir = g_dir_make_tmp("peal-browser-XXXXXX", NULL);
    ResultsConfig config = {.dir = dir,
                            .name = "page " HOSTILE,
                            .version = "0.1.0",
                            .crypto = "none",
                            .scenario = HOSTILE,
                            .source = "[scenario]\nname = " HOSTILE "\n",
                            .points = 9,
                            .sweep = true,
                            .replications = 3};
    g_autoptr(Results) results = results_open(&config, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    for (unsigned i = 0; i < 27; i++) {
        unsigned point = i / 3, size_of = point / 3, peers = 64U << (2 * size_of);
        g_autofree char *size = g_strdup_printf("%u", peers);
        g_autofree char *neighbours = g_strdup_printf("%u", 2 + point % 3);
        ResultsParameter parameters[] = {{"overlay.peers", size, true},
                                         {"overlay.neighbours", neighbours, true},
                                         {"overlay.name", HOSTILE, false}};
        Recording recording = {.seed = i,
                               .hops_mean = 3 + size_of,
                               .duration_s = 40,
                               .warmup_s = 10,
                               .per_second = 30 + 10 * (i % 3),
                               .outage_from_s = 20,
                               .outage_until_s = 22 + point % 3,
                               .calls_per_second = 3};
        Recorder *recorder = recording_play(&recording);
        ResultsReplication head = {.point = point,
                                   .replication = i % 3,
                                   .peers = peers,
                                   .wall_seconds = 1};

        CU_ASSERT(results_set_point(results, point, parameters, 3, NULL));
        CU_ASSERT(results_add_replication(results, &head, recorder, NULL));
        recorder_free(recorder);
    }
    return dir;
}

static void write_page(const char *dir)
{
    char *argv[] = {"report", (char *)(uintptr_t)dir, "--out", page, NULL};
    int kept = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY);

    fflush(stdout);
    dup2(nowhere, STDOUT_FILENO);
    CU_ASSERT_EQUAL(report_main(4, argv), 0);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(nowhere);
}

/* The browser with the report, loaded anew; false where there is no browser. */
static bool open_page(void)
{
    g_autofree char *program = g_find_program_in_path("chromium");

    if (program == NULL) {
        return false;
    }
    if (browser == NULL) {
        g_autofree char *dir = make_results();

        page = g_build_filename(dir, "report.html", NULL);
        write_page(dir);
        browser = chromium_new();
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(browser);
    CU_ASSERT_FATAL(chromium_open(browser, page));
    return true;
}

/* A figure's plot object in the page. */
#define PLOT(name) "pealReport.plots.find((p) => p.data.name === '" name "')"
/* The middle of the i-th mark of a figure, in the window. */
#define MARK(name, i, side)                                                            \
    "(() => { const r = document.querySelectorAll('#plot-" name " .series .mark')[" #i \
    "].getBoundingClientRect(); return " side "; })()"
#define MIDDLE_X "(r.left + r.right) / 2"
#define MIDDLE_Y "(r.top + r.bottom) / 2"

static void show(const char *figure)
{
    chromium_number(browser, "document.getElementById('%s').scrollIntoView({block: 'center'}), 0",
                    figure);
}

static void page_draws_every_point_of_every_figure(void)
{
    static const char wrong[] =
        "(() => { let wrong = 0; for (const plot of pealReport.plots) {"
        " const data = plot.data, place = document.getElementById('plot-' + data.name);"
        " if (data.grid) { wrong += place.querySelectorAll('.cell').length !=="
        "   data.grid.cells.filter((c) => c[0] !== null).length; continue; }"
        " const all = data.panels.flatMap((p) => p.series).filter((s) => s.points.length > 0);"
        " const drawn = [...place.querySelectorAll('.series')];"
        " wrong += drawn.length !== all.length;"
        " drawn.forEach((group, i) => { const series = all[i], line = group.querySelector('.line');"
        "  const marks = series.style === 'marks' || series.style === 'marked';"
        "  if (series.style === 'bars') { wrong += group.querySelectorAll('.bar').length !=="
        "    series.points.length; return; }"
        "  wrong += (line ? line.getAttribute('d').split('L').length : series.points.length)"
        "    !== series.points.length;"
        "  wrong += !line !== (series.style === 'marks');"
        "  wrong += group.querySelectorAll('.mark').length !== (marks ? series.points.length : 0);"
        "  wrong += /NaN|Infinity|undefined/.test(group.innerHTML); }); } return wrong; })()";

    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    CU_ASSERT(chromium_number(browser, "pealReport.plots.length") > 25);
    CU_ASSERT_EQUAL(chromium_number(browser, wrong), 0);
    CU_ASSERT_EQUAL(chromium_number(browser, "document.querySelectorAll('.plot > svg').length"),
                    chromium_number(browser, "pealReport.report.figures.length"));
}

static void page_runs_nothing_of_the_scenario_and_loads_nothing(void)
{
    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    CU_ASSERT_EQUAL(chromium_number(browser, "window.ran === undefined ? 0 : 1"), 0);
    CU_ASSERT_EQUAL(chromium_number(browser, "document.querySelectorAll('script').length"), 2);
    CU_ASSERT_EQUAL(chromium_number(browser, "document.querySelector('h1').textContent.includes("
                                             "'<script>window.ran = 1') ? 1 : 0"),
                    1);
    for (guint i = 0; i < browser->errors->len; i++) {
        printf("# %s\n", (const char *)g_ptr_array_index(browser->errors, i));
    }
    CU_ASSERT_EQUAL(browser->errors->len, 0);
    CU_ASSERT_EQUAL(browser->fetched->len, 0);
}

/* Whether what is read off holds a value of the data, written with its five digits. */
static bool says(const char *figure, const char *value)
{
    return chromium_number(browser,
                           "(() => { const tip = document.querySelector('#plot-%s .tip');"
                           " return !tip.hidden && tip.textContent.includes("
                           "String(Number((%s).toPrecision(5)))) ? 1 : 0; })()",
                           figure, value) == 1;
}

static void pointing_at_a_mark_reads_off_its_value_and_interval(void)
{
    double x, y;

    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    show("swept-hops-neighbours");
    x = chromium_number(browser, MARK("swept-hops-neighbours", 2, MIDDLE_X));
    y = chromium_number(browser, MARK("swept-hops-neighbours", 2, MIDDLE_Y));
    chromium_mouse(browser, "mouseMoved", x + 1, y + 1, 0, 0);
    CU_ASSERT(says("swept-hops-neighbours",
                   PLOT("swept-hops-neighbours") ".data.panels[0].series[0].points[2][1]"));
    CU_ASSERT(says("swept-hops-neighbours",
                   PLOT("swept-hops-neighbours") ".data.panels[0].series[0].points[2][2]"));
    CU_ASSERT(says("swept-hops-neighbours",
                   PLOT("swept-hops-neighbours") ".data.panels[0].series[0].points[2][3]"));
    chromium_mouse(browser, "mouseMoved", 2, 2, 0, 0);
    CU_ASSERT_EQUAL(chromium_number(browser,
                                    "document.querySelector('#plot-swept-hops-neighbours .tip')"
                                    ".hidden ? 1 : 0"),
                    1);
}

static void the_wheel_zooms_around_the_pointer_and_a_double_click_shows_all(void)
{
    double x, y, other, moved;

    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    show("swept-hops-neighbours");
    x = chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_X));
    y = chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_Y));
    other = chromium_number(browser, MARK("swept-hops-neighbours", 2, MIDDLE_X));
    chromium_mouse(browser, "mouseMoved", x, y, 0, 0);
    chromium_mouse(browser, "mousePressed", x, y, 1, 0);
    chromium_mouse(browser, "mouseReleased", x, y, 1, 0);
    chromium_mouse(browser, "mouseWheel", x, y, 0, -120);
    CU_ASSERT_DOUBLE_EQUAL(chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_X)), x,
                           1);
    CU_ASSERT_DOUBLE_EQUAL(chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_Y)), y,
                           1);
    moved = chromium_number(browser, MARK("swept-hops-neighbours", 2, MIDDLE_X));
    CU_ASSERT_DOUBLE_EQUAL((moved - x) / (other - x), 1.25, 0.02);
    chromium_mouse(browser, "mousePressed", x, y, 1, 0);
    chromium_mouse(browser, "mouseReleased", x, y, 1, 0);
    chromium_mouse(browser, "mousePressed", x, y, 2, 0);
    chromium_mouse(browser, "mouseReleased", x, y, 2, 0);
    CU_ASSERT_DOUBLE_EQUAL(chromium_number(browser, MARK("swept-hops-neighbours", 2, MIDDLE_X)),
                           other, 0.5);
}

static void the_wheel_scrolls_the_page_over_a_figure_not_chosen(void)
{
    double before;

    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    show("swept-hops-neighbours");
    before = chromium_number(browser, MARK("swept-hops-neighbours", 2, "r.right - r.left"));
    chromium_mouse(browser, "mouseWheel", 400, 450, 0, 120);
    CU_ASSERT_EQUAL(chromium_number(browser, PLOT("swept-hops-neighbours") ".x.zoomed ? 1 : 0"), 0);
    CU_ASSERT_DOUBLE_EQUAL(chromium_number(browser,
                                           MARK("swept-hops-neighbours", 2, "r.right - r.left")),
                           before, 0.01);
}

static void dragging_moves_and_with_shift_chooses_a_part(void)
{
    enum { SHIFT = 8 };
    double x, y, from;

    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    show("swept-hops-neighbours");
    x = chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_X));
    y = chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_Y));
    chromium_mouse(browser, "mousePressed", x, y, 1, 0);
    chromium_mouse(browser, "mouseMoved", x + 20, y + 5, 1, 0);
    chromium_mouse(browser, "mouseMoved", x + 50, y + 10, 1, 0);
    chromium_mouse(browser, "mouseReleased", x + 50, y + 10, 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_X)),
                           x + 50, 1);
    CU_ASSERT_DOUBLE_EQUAL(chromium_number(browser, MARK("swept-hops-neighbours", 1, MIDDLE_Y)),
                           y + 10, 1);
    chromium_number(browser, PLOT("swept-hops-neighbours") ".reset(), 0");
    from = chromium_number(browser, PLOT("swept-hops-neighbours") ".x.view[1] - " PLOT(
                                        "swept-hops-neighbours") ".x.view[0]");
    browser->modifiers = SHIFT;
    chromium_mouse(browser, "mousePressed", x - 60, y - 30, 1, 0);
    chromium_mouse(browser, "mouseMoved", x, y, 1, 0);
    chromium_mouse(browser, "mouseMoved", x + 60, y + 30, 1, 0);
    chromium_mouse(browser, "mouseReleased", x + 60, y + 30, 1, 0);
    browser->modifiers = 0;
    CU_ASSERT(chromium_number(browser, PLOT("swept-hops-neighbours") ".x.view[1] - " PLOT(
                                           "swept-hops-neighbours") ".x.view[0]") < from / 3);
}

static void keys_go_from_point_to_point_and_zoom(void)
{
    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    show("swept-hops-neighbours");
    chromium_number(browser, PLOT("swept-hops-neighbours") ".svg.focus(), 0");
    chromium_key(browser, "ArrowRight");
    CU_ASSERT(says("swept-hops-neighbours",
                   PLOT("swept-hops-neighbours") ".data.panels[0].series[0].points[0][1]"));
    chromium_key(browser, "ArrowRight");
    CU_ASSERT(says("swept-hops-neighbours",
                   PLOT("swept-hops-neighbours") ".data.panels[0].series[0].points[1][1]"));
    chromium_key(browser, "ArrowDown");
    CU_ASSERT(says("swept-hops-neighbours",
                   PLOT("swept-hops-neighbours") ".data.panels[0].series[1].points[1][1]"));
    chromium_key(browser, "+");
    CU_ASSERT_EQUAL(chromium_number(browser, PLOT("swept-hops-neighbours") ".x.zoomed ? 1 : 0"), 1);
    chromium_key(browser, "0");
    CU_ASSERT_EQUAL(chromium_number(browser, PLOT("swept-hops-neighbours") ".x.zoomed ? 1 : 0"), 0);
}

static void an_entry_of_the_key_hides_its_line_and_shows_it_again(void)
{
    double all;

    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    all =
        chromium_number(browser,
                        "document.querySelectorAll('#plot-swept-hops-neighbours .series').length");
    chromium_number(browser,
                    "document.querySelector('#plot-swept-hops-neighbours button').click(), 0");
    CU_ASSERT_EQUAL(
        chromium_number(browser,
                        "document.querySelectorAll('#plot-swept-hops-neighbours .series').length"),
        all - 1);
    chromium_number(browser,
                    "document.querySelector('#plot-swept-hops-neighbours button').click(), 0");
    CU_ASSERT_EQUAL(
        chromium_number(browser,
                        "document.querySelectorAll('#plot-swept-hops-neighbours .series').length"),
        all);
}

static void pointing_at_a_cell_reads_off_its_value(void)
{
    double x, y;

    if (!open_page()) {
        PEAL_SKIP("needs chromium");
    }
    show("heat-latency");
    x = chromium_number(browser, "(() => { const r = document.querySelectorAll('#plot-heat-latency "
                                 ".cell')[4].getBoundingClientRect(); return " MIDDLE_X "; })()");
    y = chromium_number(browser, "(() => { const r = document.querySelectorAll('#plot-heat-latency "
                                 ".cell')[4].getBoundingClientRect(); return " MIDDLE_Y "; })()");
    chromium_mouse(browser, "mouseMoved", x, y, 0, 0);
    CU_ASSERT(says("heat-latency", PLOT("heat-latency") ".data.grid.cells[4][0]"));
    CU_ASSERT(says("heat-latency", PLOT("heat-latency") ".data.grid.cells[4][2]"));
}

static void without_scripts_there_are_pictures_and_tables(void)
{
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");

    if (gnuplot == NULL || !open_page()) {
        PEAL_SKIP("needs chromium and gnuplot");
    }
    json_decref(chromium_call(browser, "Emulation.setScriptExecutionDisabled",
                              json_pack("{s:b}", "value", 1)));
    CU_ASSERT(chromium_open(browser, page));
    CU_ASSERT(chromium_number(browser, "[...document.querySelectorAll('figure img')]"
                                       ".filter((i) => i.naturalWidth > 0).length") > 10);
    CU_ASSERT(chromium_number(browser, "document.querySelectorAll('table tr').length") > 20);
    json_decref(chromium_call(browser, "Emulation.setScriptExecutionDisabled",
                              json_pack("{s:b}", "value", 0)));
}

static void nothing_went_wrong_on_the_way_and_the_browser_ends(void)
{
    if (browser == NULL) {
        PEAL_SKIP("needs chromium");
    }
    CU_ASSERT_EQUAL(browser->errors->len, 0);
    CU_ASSERT_EQUAL(browser->fetched->len, 0);
    g_clear_pointer(&browser, chromium_free);
    g_clear_pointer(&page, g_free);
}

PEAL_TEST_MAIN("interop/browser", PEAL_TEST(page_draws_every_point_of_every_figure),
               PEAL_TEST(page_runs_nothing_of_the_scenario_and_loads_nothing),
               PEAL_TEST(pointing_at_a_mark_reads_off_its_value_and_interval),
               PEAL_TEST(the_wheel_zooms_around_the_pointer_and_a_double_click_shows_all),
               PEAL_TEST(the_wheel_scrolls_the_page_over_a_figure_not_chosen),
               PEAL_TEST(dragging_moves_and_with_shift_chooses_a_part),
               PEAL_TEST(keys_go_from_point_to_point_and_zoom),
               PEAL_TEST(an_entry_of_the_key_hides_its_line_and_shows_it_again),
               PEAL_TEST(pointing_at_a_cell_reads_off_its_value),
               PEAL_TEST(without_scripts_there_are_pictures_and_tables),
               PEAL_TEST(nothing_went_wrong_on_the_way_and_the_browser_ends))
