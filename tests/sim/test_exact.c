/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_exact.c - what must hold of every single lookup, read back from results.db. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sim/run.h>
#include <sqlite3.h>
#include <unistd.h>

#include "peal_test.h"

typedef struct Out {
    char *dir; /* results of this test, made and removed with it */
} Out;

static Out out_new(void)
{
    Out out = {g_dir_make_tmp("peal-exact-XXXXXX", NULL)};

    CU_ASSERT_PTR_NOT_NULL_FATAL(out.dir);
    return out;
}

static void out_free(Out *out)
{
    static const char *const FILES[] = {"results.db", "summary.json"};

    for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_autofree char *path = g_build_filename(out->dir, FILES[i], NULL);

        (void)g_unlink(path);
    }
    (void)g_rmdir(out->dir);
    g_free(out->dir);
}

/* Runs scenarios/bench-w.conf small, with one more setting, into `out`; standard output is the
 * test's own. */
static void run(const Out *out, const char *setting)
{
    g_autofree char *file =
        g_build_filename(g_getenv("PEAL_SOURCE_ROOT"), "scenarios", "bench-w.conf", NULL);
    char *argv[] = {"run",     file,
                    "--set",   "overlay.peers=500",
                    "--set",   "scenario.duration=100s",
                    "--set",   (char *)setting,
                    "--out",   out->dir,
                    "--quiet", "--force",
                    NULL};
    const RunWorld *world = &SIM_WORLD;
    int saved = dup(STDOUT_FILENO);
    int null = open("/dev/null", O_WRONLY);

    fflush(stdout);
    dup2(null, STDOUT_FILENO);
    CU_ASSERT_EQUAL(run_main((int)G_N_ELEMENTS(argv) - 1, argv, &world, 1), 0);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(null);
}

/* The one number that a query gives, over `out`'s database and, as `other`, a second one's. */
static int64_t query(const Out *out, const Out *other, const char *sql)
{
    g_autofree char *path = g_build_filename(out->dir, "results.db", NULL);
    g_autofree char *other_path =
        g_build_filename(other != NULL ? other->dir : out->dir, "results.db", NULL);
    g_autofree char *attach = g_strdup_printf("ATTACH '%s' AS other", other_path);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t result = -1;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_exec(db, attach, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        result = sqlite3_column_int64(statement, 0);
    } else {
        printf("# %s\n", sqlite3_errmsg(db));
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return result;
}

static void latency_is_the_one_way_delay_times_the_hops_there_and_back(void)
{
    Out out = out_new();

    run(&out, "network.latency=constant:50ms");
    CU_ASSERT(query(&out, NULL, "SELECT count(*) FROM lookups") > 4000);
    CU_ASSERT_EQUAL(query(&out, NULL, "SELECT count(*) FROM lookups WHERE NOT succeeded"), 0);
    CU_ASSERT_EQUAL(query(&out, NULL,
                          "SELECT count(*) FROM lookups WHERE latency_ns != 2 * hops * 50000000"),
                    0);
    CU_ASSERT(query(&out, NULL, "SELECT count(DISTINCT hops) FROM lookups") > 5);
    out_free(&out);
}

static void hops_stay_the_same_when_every_delay_is_doubled(void)
{
    Out slow = out_new();
    Out fast = out_new();

    run(&fast, "network.latency=constant:40ms");
    run(&slow, "network.latency=constant:80ms");
    /* Those of the last second may not have ended in the slow world. */
    CU_ASSERT(query(&slow, &fast,
                    "SELECT count(*) FROM lookups AS s JOIN other.lookups AS f "
                    "USING (started_ns, asker, key)") > 4000);
    CU_ASSERT_EQUAL(query(&slow, &fast,
                          "SELECT count(*) FROM lookups AS s JOIN other.lookups AS f "
                          "USING (started_ns, asker, key) "
                          "WHERE s.hops != f.hops OR s.latency_ns != 2 * f.latency_ns"),
                    0);
    out_free(&slow);
    out_free(&fast);
}

PEAL_TEST_MAIN("sim/exact", PEAL_TEST(latency_is_the_one_way_delay_times_the_hops_there_and_back),
               PEAL_TEST(hops_stay_the_same_when_every_delay_is_doubled))
