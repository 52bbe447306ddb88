/*
 * test_history_table.c - the table by which messages find their calls, against GLib's.
 */
#include <history/table.h>

#include <glib.h>
#include <peal_test.h>

enum { KEYS = 3000, STEPS = 200000, CLUSTERS = 64 };

static TableKey key_of(unsigned i, bool clustered)
{
    TableKey secret = {{1, 2}};
    TableHash hash;
    TableKey key;

    table_hash_init(&hash, &secret);
    table_hash_number(&hash, i);
    key = table_hash_key(&hash);
    if (clustered) {
        key.word[0] = i % CLUSTERS; /* long runs, that removing must close */
    }
    return key;
}

/* Adds, replaces and removes at random; GLib's table has i + 1 by i. */
static void try_out(bool clustered)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(clustered);
    g_autoptr(GHashTable) model = g_hash_table_new(NULL, NULL);
    Table table = {0};

    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)g_rand_int_range(rand, 0, KEYS);
        uint32_t value = (uint32_t)g_rand_int_range(rand, 1, 1000000);
        uint32_t known = GPOINTER_TO_UINT(g_hash_table_lookup(model, GUINT_TO_POINTER(i + 1)));

        if (table_get(&table, key_of(i, clustered)) != (known != 0 ? known : TABLE_NONE)) {
            CU_FAIL_FATAL("another value");
        }
        if (g_rand_boolean(rand)) {
            table_put(&table, key_of(i, clustered), value);
            g_hash_table_insert(model, GUINT_TO_POINTER(i + 1), GUINT_TO_POINTER(value));
        } else {
            table_remove(&table, key_of(i, clustered));
            g_hash_table_remove(model, GUINT_TO_POINTER(i + 1));
        }
    }
    CU_ASSERT_EQUAL(table.len, g_hash_table_size(model));
    table_clear(&table);
    CU_ASSERT_EQUAL(table.len, 0);
    CU_ASSERT_EQUAL(table_get(&table, key_of(1, clustered)), TABLE_NONE);
    table_fini(&table);
}

static void keys_are_found_as_long_as_they_are_there(void)
{
    try_out(false);
}

static void keys_with_one_place_are_found_too(void)
{
    try_out(true);
}

static void empty_table_has_nothing(void)
{
    Table table = {0};

    CU_ASSERT_EQUAL(table_get(&table, key_of(1, false)), TABLE_NONE);
    table_remove(&table, key_of(1, false));
    table_clear(&table);
    table_fini(&table);
}

static TableKey key_of_texts(const char *one, const char *other)
{
    TableKey secret = {{3, 4}};
    TableHash hash;

    table_hash_init(&hash, &secret);
    table_hash_text(&hash, (PealStr){one, strlen(one)});
    table_hash_text(&hash, (PealStr){other, strlen(other)});
    return table_hash_key(&hash);
}

static void where_a_text_ends_is_part_of_the_key(void)
{
    CU_ASSERT_TRUE(table_key_equal(key_of_texts("call-one", "x"), key_of_texts("call-one", "x")));
    CU_ASSERT_FALSE(table_key_equal(key_of_texts("ab", "c"), key_of_texts("a", "bc")));
    CU_ASSERT_FALSE(table_key_equal(key_of_texts("abcdefgh", ""), key_of_texts("", "abcdefgh")));
    CU_ASSERT_FALSE(table_key_equal(key_of_texts("abcdefghi", ""), key_of_texts("abcdefgh", "i")));
    CU_ASSERT_FALSE(table_key_equal(key_of_texts("", ""), key_of_texts("", "a")));
}

PEAL_TEST_MAIN("analysis/history/table", PEAL_TEST(keys_are_found_as_long_as_they_are_there),
               PEAL_TEST(keys_with_one_place_are_found_too), PEAL_TEST(empty_table_has_nothing),
               PEAL_TEST(where_a_text_ends_is_part_of_the_key))
