/* SPDX-License-Identifier: GPL-3.0-or-later */
/* key_value.c - reads a key's value into its field, and says what values it takes. See keys.h. */
#include <inttypes.h>
#include <math.h>

#include "units.h"
#include <scenarios/attack.h>
#include <scenarios/keys.h>

static bool value_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool value_fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, text);
    return false;
}

/* field_set writes an unsigned integer (or an enum, or a bool) of the field's own size. */
static void field_set(const Key *key, void *target, uint64_t value)
{
    uint8_t *field = (uint8_t *)target + key->offset;

    switch (key->size) {
    case sizeof(uint8_t):
        *field = (uint8_t)value;
        break;
    case sizeof(uint16_t):
        memcpy(field, &(uint16_t){(uint16_t)value}, sizeof(uint16_t));
        break;
    case sizeof(uint32_t):
        memcpy(field, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
        break;
    default:
        PEAL_ASSERT(key->size == sizeof(uint64_t));
        memcpy(field, &value, sizeof(value));
        break;
    }
}

static bool range_check(const Key *key, uint64_t value, GError **error)
{
    if (value < key->min || value > key->max) {
        g_autofree char *range = key_range_text(key);

        return value_fail(error, "out of range: it takes %s", range);
    }
    return true;
}

static bool apply_text(const Key *key, const char *text, void *target, GError **error)
{
    char **field = (char **)(void *)((uint8_t *)target + key->offset);
    size_t len = strlen(text);

    if (len < key->min || len > key->max) {
        return value_fail(error, "a name has %" PRIu64 " to %" PRIu64 " characters", key->min,
                          key->max);
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && strchr("-_.", *at) == NULL) {
            return value_fail(error, "a name consists of letters, digits, '-', '_' and '.'");
        }
    }
    if (text[0] == '.' || text[0] == '-') {
        return value_fail(error, "a name begins with a letter, a digit or '_'");
    }
    g_free(*field);
    *field = g_strdup(text);
    return true;
}

static bool apply_choice(const Key *key, const char *text, void *target, GError **error)
{
    g_autofree char *range = NULL;

    for (const KeyChoice *choice = key->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, text) != 0) {
            continue;
        }
        if (choice->unavailable != NULL) {
            g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_UNAVAILABLE,
                                choice->unavailable);
            return false;
        }
        field_set(key, target, (uint64_t)choice->value);
        return true;
    }
    range = key_range_text(key);
    return value_fail(error, "it takes %s", range);
}

/* `benchmark` or `benchmark:X`; false when it is neither. */
static bool benchmark_read(const char *text, uint32_t *ret_milli)
{
    const char *rest = text + strlen("benchmark");
    uint64_t milli = 1000;

    if (!g_str_has_prefix(text, "benchmark") || (*rest != '\0' && *rest != ':') ||
        (*rest == ':' && !units_milli(rest + 1, &milli, NULL)) || milli == 0 ||
        milli > UINT64_C(1000000000)) {
        return false;
    }
    *ret_milli = (uint32_t)milli;
    return true;
}

static bool apply_service(const Key *key, const char *text, Scenario *scenario, GError **error)
{
    Dist dist = {DIST_NONE, 0, 0};
    uint32_t milli = 0;

    if (benchmark_read(text, &milli)) {
        dist = (Dist){DIST_CONSTANT, 1, 0}; /* kinds are so many times that */
    } else if (strcmp(text, "infinite") != 0) {
        g_autoptr(GError) inner = NULL;

        if (!dist_parse(text, &dist, &inner) ||
            (dist.kind != DIST_CONSTANT && dist.kind != DIST_EXPONENTIAL)) {
            return value_fail(error, "it takes infinite, constant:T or exponential:T, such as "
                                     "constant:50us, or benchmark or benchmark:X, X times slower "
                                     "(up to 1000000)");
        }
        if (!range_check(key, (uint64_t)(dist.a * 1e3), error)) {
            return false;
        }
    }
    scenario->peer.service = dist;
    scenario->peer.benchmark_milli = milli;
    return true;
}

static bool apply_queue(const Key *key, const char *text, Scenario *scenario, GError **error)
{
    uint64_t messages;
    PealSpan time;

    if (units_count(text, &messages, NULL)) {
        if (!range_check(key, messages, error)) {
            return false;
        }
        scenario->peer.queue = (ScenarioQueue){.messages = (uint32_t)messages};
        return true;
    }
    if (!units_span(text, &time, NULL) || time.ns <= 0) {
        g_autofree char *range = key_range_text(key);

        return value_fail(error, "it takes %s", range);
    }
    scenario->peer.queue = (ScenarioQueue){.time = time};
    return true;
}

static bool apply_bandwidth(const Key *key, const char *text, Scenario *scenario, GError **error)
{
    uint64_t rate = 0;

    if (strcmp(text, "unlimited") != 0 &&
        (!units_bit_rate(text, &rate, error) || !range_check(key, rate, error))) {
        return false;
    }
    scenario->network.bandwidth = rate;
    return true;
}

static bool apply_latency(const Key *key, const char *text, Scenario *scenario, GError **error)
{
    static const struct {
        const char *name;
        ScenarioLatency latency;
    } FILES[] = {{"matrix:", SCENARIO_LATENCY_MATRIX},
                 {"coordinates:", SCENARIO_LATENCY_COORDINATES}};
    ScenarioNetwork *network = &scenario->network;

    if (strcmp(text, "synthetic") == 0) {
        network->latency = SCENARIO_LATENCY_SYNTHETIC;
        return true;
    }
    if (strcmp(text, "plane") == 0) {
        network->latency = SCENARIO_LATENCY_PLANE;
        return true;
    }
    if (g_str_has_prefix(text, "constant:")) {
        network->latency = SCENARIO_LATENCY_CONSTANT;
        return units_span(text + strlen("constant:"), &network->constant, error) &&
               range_check(key, (uint64_t)network->constant.ns, error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
        const char *file = text + strlen(FILES[i].name);

        if (!g_str_has_prefix(text, FILES[i].name)) {
            continue;
        }
        if (*file == '\0') {
            return value_fail(error, "the file is missing: write %sFILE", FILES[i].name);
        }
        network->latency = FILES[i].latency;
        g_free(network->latency_file);
        network->latency_file = g_strdup(file);
        return true;
    }
    return value_fail(error, "no such network model; it takes synthetic, plane, constant:T, "
                             "matrix:FILE or coordinates:FILE");
}

static bool apply_count(const Key *key, const char *text, uint64_t *ret_count, GError **error)
{
    return units_count(text, ret_count, error) && range_check(key, *ret_count, error);
}

static bool apply_dist(const Key *key, const char *text, void *target, GError **error)
{
    return dist_parse(text, (Dist *)(void *)((uint8_t *)target + key->offset), error);
}

static bool apply_lifetime(const Key *key, const char *text, void *target, GError **error)
{
    Dist dist;
    double median_ns;

    if (!dist_parse(text, &dist, error)) {
        return false;
    }
    median_ns = dist_median_us(&dist) * 1e3; /* a text has at most 2^63 ns */
    if (!range_check(key, (uint64_t)MIN(median_ns, 0x1p63), error)) {
        if (dist.kind != DIST_CONSTANT && dist.kind != DIST_NONE) {
            g_prefix_error(error, "the median is ");
        }
        return false;
    }
    if (isinf(dist_mean_us(&dist))) {
        return value_fail(error, "a lifetime has a mean: that takes a shape above 1");
    }
    if (dist.kind == DIST_CONSTANT && fmod(dist.a, PEAL_NS_PER_S / 1e3) != 0) {
        return value_fail(error, "a registration lasts whole seconds");
    }
    memcpy((uint8_t *)target + key->offset, &dist, sizeof(dist));
    return true;
}

static bool apply_session(const char *text, Scenario *scenario, GError **error)
{
    ScenarioChurn *churn = &scenario->churn;
    const char *file = text + strlen("trace:");

    if (!g_str_has_prefix(text, "trace:")) {
        return dist_parse(text, &churn->session, error);
    }
    if (*file == '\0') {
        return value_fail(error, "the file is missing: write trace:FILE");
    }
    g_free(churn->trace_file);
    churn->trace_file = g_strdup(file);
    return true;
}

static bool apply_span(const Key *key, const char *text, void *target, GError **error)
{
    PealSpan span;

    if (!units_span(text, &span, error) || !range_check(key, (uint64_t)span.ns, error)) {
        return false;
    }
    field_set(key, target, (uint64_t)span.ns);
    return true;
}

static bool apply_path(const Key *key, const char *text, void *target, GError **error)
{
    char **field = (char **)(void *)((uint8_t *)target + key->offset);

    if (*text == '\0') {
        return value_fail(error, "the name is missing: write it, or remove the key");
    }
    g_free(*field);
    *field = g_strdup(text);
    return true;
}

static bool apply_words(const Key *key, const char *text, void *target, GError **error)
{
    char ***field = (char ***)(void *)((uint8_t *)target + key->offset);
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    guint len = g_strv_length(words);

    for (guint i = 0; i < len; i++) {
        g_strstrip(words[i]);
        if (words[i][0] == '\0') {
            return value_fail(error,
                              "item %u of the list is empty; write items with commas "
                              "between them",
                              i + 1);
        }
    }
    if (len < key->min || len > key->max) {
        return value_fail(error, "the list has %u items; it takes %" PRIu64 " to %" PRIu64, len,
                          key->min, key->max);
    }
    g_strfreev(*field);
    *field = g_steal_pointer(&words);
    return true;
}

static bool apply_seconds(const Key *key, const char *text, void *target, GError **error)
{
    PealSpan span;

    if (!units_span(text, &span, error) || !range_check(key, (uint64_t)span.ns, error)) {
        return false;
    }
    if (span.ns % PEAL_NS_PER_S != 0) {
        return value_fail(error, "it takes whole seconds");
    }
    field_set(key, target, (uint64_t)(span.ns / PEAL_NS_PER_S));
    return true;
}

static bool apply_rate(const Key *key, const char *text, void *target, GError **error)
{
    uint64_t milli;

    if (!units_rate(text, &milli, error)) {
        return false;
    }
    if (milli == 0) {
        return value_fail(error, "a rate of 0 is no attack: leave the section out, or set its "
                                 "attackers or phones to 0");
    }
    if (!range_check(key, milli, error)) {
        return false;
    }
    field_set(key, target, milli);
    return true;
}

static bool apply_limit(const Key *key, const char *text, void *target, GError **error)
{
    uint64_t milli = 0;

    if (strcmp(text, "off") != 0 &&
        (!units_rate(text, &milli, error) || !range_check(key, milli, error))) {
        return false;
    }
    field_set(key, target, milli);
    return true;
}

static bool apply_amount(const Key *key, const char *text, void *target, GError **error)
{
    AttackAmount *amount = (AttackAmount *)(void *)((uint8_t *)target + key->offset);
    uint64_t count = 0;
    uint32_t ppm = 0;

    if (g_str_has_suffix(text, "%")) {
        if (!units_ppm(text, &ppm, error)) {
            return false;
        }
    } else if (!apply_count(key, text, &count, error)) {
        return false;
    }
    *amount = (AttackAmount){(uint32_t)count, ppm};
    return true;
}

/* A word that is a number below SCENARIO_PEERS_MAX. */
static bool word_count(const char *word, uint32_t *ret_count)
{
    uint64_t count;

    if (!units_count(word, &count, NULL) || count >= SCENARIO_PEERS_MAX) {
        return false;
    }
    *ret_count = (uint32_t)count;
    return true;
}

static bool apply_target(const Key *key, const char *text, void *target, GError **error)
{
    AttackTarget *field = (AttackTarget *)(void *)((uint8_t *)target + key->offset);
    AttackTarget read = {ATTACK_ON_EVERYONE, 0, 0};
    g_auto(GStrv) all = g_strsplit(text, " ", -1);
    char **words = all;
    guint len = g_strv_length(all);

    if (len > 2 && strcmp(words[0], "key") == 0 && strcmp(words[1], "of") == 0) {
        words += 2;
        len -= 2;
    }
    if (len == 1 && strcmp(words[0], "everyone") == 0) {
        *field = read;
        return true;
    }
    if (len == 2 && strcmp(words[0], "peer") == 0 && word_count(words[1], &read.peer)) {
        read.kind = ATTACK_ON_PEER;
        *field = read;
        return true;
    }
    if (len == 5 && strcmp(words[0], "user") == 0 && word_count(words[1], &read.user) &&
        strcmp(words[2], "of") == 0 && strcmp(words[3], "peer") == 0 &&
        word_count(words[4], &read.peer)) {
        read.kind = ATTACK_ON_USER;
        *field = read;
        return true;
    }
    return value_fail(error, "it takes everyone, peer N, or user U of peer N");
}

static bool apply_ppm(const Key *key, const char *text, void *target, GError **error)
{
    uint32_t ppm;

    if (!units_ppm(text, &ppm, error)) {
        return false;
    }
    field_set(key, target, ppm);
    return true;
}

static bool apply_milli(const Key *key, const char *text, void *target, GError **error)
{
    uint64_t value;

    if (!units_milli(text, &value, error) || !range_check(key, value, error)) {
        return false;
    }
    field_set(key, target, value);
    return true;
}

static bool apply_bytes(const Key *key, const char *text, void *target, GError **error)
{
    uint64_t value;

    if (!units_bytes(text, &value, error) || !range_check(key, value, error)) {
        return false;
    }
    field_set(key, target, value);
    return true;
}

static bool apply_neighbours(const Key *key, const char *text, Scenario *scenario, GError **error)
{
    uint64_t value;

    if (!apply_count(key, text, &value, error)) {
        return false;
    }
    scenario->overlay.successors = (uint16_t)value;
    scenario->overlay.predecessors = (uint16_t)value;
    return true;
}

bool key_apply(const Key *key, const char *text, void *target, GError **error)
{
    Scenario *scenario = target; /* of the types that only scenarios have */
    uint64_t value;

    switch (key->type) {
    case KEY_TEXT:
        return apply_text(key, text, target, error);
    case KEY_PATH:
        return apply_path(key, text, target, error);
    case KEY_WORDS:
        return apply_words(key, text, target, error);
    case KEY_BYTES:
        return apply_bytes(key, text, target, error);
    case KEY_SECONDS:
        return apply_seconds(key, text, target, error);
    case KEY_SPAN:
        return apply_span(key, text, target, error);
    case KEY_CHOICE:
        return apply_choice(key, text, target, error);
    case KEY_DIST:
        return apply_dist(key, text, target, error);
    case KEY_LIFETIME:
        return apply_lifetime(key, text, target, error);
    case KEY_SERVICE:
        return apply_service(key, text, scenario, error);
    case KEY_QUEUE:
        return apply_queue(key, text, scenario, error);
    case KEY_BANDWIDTH:
        return apply_bandwidth(key, text, scenario, error);
    case KEY_LATENCY:
        return apply_latency(key, text, scenario, error);
    case KEY_SESSION:
        return apply_session(text, scenario, error);
    case KEY_PPM:
        return apply_ppm(key, text, target, error);
    case KEY_MILLI:
        return apply_milli(key, text, target, error);
    case KEY_LIMIT:
        return apply_limit(key, text, target, error);
    case KEY_RATE:
        return apply_rate(key, text, target, error);
    case KEY_AMOUNT:
        return apply_amount(key, text, target, error);
    case KEY_TARGET:
        return apply_target(key, text, target, error);
    case KEY_NEIGHBOURS:
        return apply_neighbours(key, text, scenario, error);
    case KEY_WARMUP:
        scenario->warmup_mser = strcmp(text, "mser-5") == 0;
        return scenario->warmup_mser || apply_span(key, text, target, error);
    case KEY_FINGERS:
        scenario->fingers_auto = strcmp(text, "auto") == 0;
        if (scenario->fingers_auto) {
            return true;
        }
        /* fall through */
    case KEY_COUNT:
        if (!apply_count(key, text, &value, error)) {
            return false;
        }
        field_set(key, target, value);
        return true;
    }
    return false;
}

static char *choices_text(const KeyChoice *choices)
{
    GString *text = g_string_new(NULL);

    for (const KeyChoice *choice = choices; choice->name != NULL; choice++) {
        if (choice->unavailable == NULL) {
            g_string_append_printf(text, "%s%s", text->len > 0 ? " or " : "", choice->name);
        }
    }
    return g_string_free(text, FALSE);
}

static char *bytes_range_text(const Key *key)
{
    g_autofree char *least = units_bytes_text(key->min);
    g_autofree char *most = units_bytes_text(key->max);

    return g_strdup_printf("%s to %s", least, most);
}

char *key_range_text(const Key *key)
{
    g_autofree char *least = units_span_text((PealSpan){(int64_t)key->min});
    g_autofree char *most = units_span_text((PealSpan){(int64_t)key->max});

    switch (key->type) {
    case KEY_TEXT:
        return g_strdup("a name");
    case KEY_PATH:
        return g_strdup("a path");
    case KEY_WORDS:
        return g_strdup("a list with commas");
    case KEY_BYTES:
        return bytes_range_text(key);
    case KEY_SECONDS:
    case KEY_SPAN:
        return g_strdup_printf("%s to %s", least, most);
    case KEY_COUNT:
    case KEY_NEIGHBOURS:
        return g_strdup_printf("%" PRIu64 " to %" PRIu64, key->min, key->max);
    case KEY_WARMUP:
        return g_strdup_printf("mser-5, or %s to %s", least, most);
    case KEY_FINGERS:
        return g_strdup_printf("auto or %" PRIu64 " to %" PRIu64, key->min, key->max);
    case KEY_MILLI:
        return g_strdup_printf("%" PRIu64 " to %" PRIu64 ", three decimals", key->min / 1000,
                               key->max / 1000);
    case KEY_PPM:
        return g_strdup("0% to 100%");
    case KEY_CHOICE:
        return choices_text(key->choices);
    case KEY_DIST:
        return g_strdup("none or a distribution, such as exponential(mean=5ms)");
    case KEY_LIFETIME:
        return g_strdup_printf("%s to %s, or a distribution with its median there", least, most);
    case KEY_SESSION:
        return g_strdup("none, a distribution such as exponential(mean=1h), or trace:FILE");
    case KEY_SERVICE:
        return g_strdup_printf("infinite or constant:T or exponential:T, up to %s, or "
                               "benchmark or benchmark:X",
                               most);
    case KEY_QUEUE:
        return g_strdup_printf("%" PRIu64 " to %" PRIu64 " frames, or a time such as 200ms",
                               key->min, key->max);
    case KEY_LIMIT:
        return g_strdup("off or a rate from 1/h to 1000000/s, such as 20/s");
    case KEY_RATE:
        return g_strdup("above 0/s, to 1000000/s");
    case KEY_AMOUNT:
        return g_strdup("N or P%");
    case KEY_TARGET:
        return g_strdup("everyone or peer N or user U of peer N");
    case KEY_BANDWIDTH:
        return g_strdup("unlimited or 1kbit/s to 1000Gbit/s");
    case KEY_LATENCY:
        return g_strdup_printf("synthetic or plane or constant:T (up to %s) or matrix:FILE or "
                               "coordinates:FILE",
                               most);
    }
    return NULL;
}
