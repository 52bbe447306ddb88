/*
 * peal_test.h - what a CUnit test file needs for a main: it runs its suite and speaks TAP to meson.
 * Source: testanything.org, version 12.   State: one per test program.   Time: none.
 *
 *   static void ring_wraps_at_zero(void) { CU_ASSERT_EQUAL(...); }
 *   PEAL_TEST_MAIN("core/id", PEAL_TEST(ring_wraps_at_zero), PEAL_TEST(...))
 *
 * A test that cannot run here says so: `PEAL_SKIP("needs tshark");` returns from it, counted apart.
 * `program PATTERN` runs only the tests whose names contain PATTERN.
 */
#ifndef PEAL_TEST_H
#define PEAL_TEST_H

#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct PealTestEntry {
    const char *name;
    CU_TestFunc run;
} PealTestEntry;

#define PEAL_TEST(function) \
    {                       \
#function, function \
    }

/* The running test's reason not to run, NULL when it does. */
static const char *peal_test_skipped;
static unsigned peal_test_number;

static inline void peal_skip(const char *reason)
{
    peal_test_skipped = reason;
}

#define PEAL_SKIP(reason)  \
    do {                   \
        peal_skip(reason); \
        return;            \
    } while (0)

static void peal_test_started(const CU_pTest test, const CU_pSuite suite)
{
    (void)test;
    (void)suite;
    peal_test_skipped = NULL;
}

static void peal_test_complete(const CU_pTest test, const CU_pSuite suite,
                               const CU_pFailureRecord failures)
{
    (void)suite;
    for (CU_pFailureRecord failure = failures; failure != NULL; failure = failure->pNext) {
        printf("# %s:%u: %s\n", failure->strFileName, failure->uiLineNumber, failure->strCondition);
    }
    printf("%s %u - %s%s%s\n", failures != NULL ? "not ok" : "ok", ++peal_test_number, test->pName,
           peal_test_skipped != NULL ? " # SKIP " : "",
           peal_test_skipped != NULL ? peal_test_skipped : "");
    fflush(stdout);
}

/* peal_test_run is main: runs the tests that match, returns the exit status. */
static inline int peal_test_run(const char *suite_name, const PealTestEntry *tests,
                                size_t tests_len, const char *pattern)
{
    CU_pSuite suite;
    unsigned planned = 0;
    unsigned failed;

    if (CU_initialize_registry() != CUE_SUCCESS ||
        (suite = CU_add_suite(suite_name, NULL, NULL)) == NULL) {
        fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < tests_len; i++) {
        if (pattern != NULL && strstr(tests[i].name, pattern) == NULL) {
            continue;
        }
        if (CU_add_test(suite, tests[i].name, tests[i].run) == NULL) {
            fprintf(stderr, "CUnit: %s: %s\n", tests[i].name, CU_get_error_msg());
            return EXIT_FAILURE;
        }
        planned++;
    }
    printf("1..%u\n", planned);
    fflush(stdout); /* a test may fork */
    CU_set_test_start_handler(peal_test_started);
    CU_set_test_complete_handler(peal_test_complete);
    CU_run_all_tests();
    failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    return failed == 0 && planned > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define PEAL_TEST_MAIN(suite_name, ...)                                       \
    int main(int argc, char **argv)                                           \
    {                                                                         \
        static const PealTestEntry tests[] = {__VA_ARGS__};                   \
                                                                              \
        return peal_test_run(suite_name, tests, sizeof tests / sizeof *tests, \
                             argc > 1 ? argv[1] : NULL);                      \
    }

#endif
