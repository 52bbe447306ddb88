/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * values.c - every key in force in a scenario, defaults included, as text: what results keep of it.
 */
#include <scenarios/attack.h>
#include <scenarios/keys.h>
#include <scenarios/settings.h>

/* All keys of an attack, as they were written or by default. */
static void each_of_attack(const Scenario *scenario, const ScenarioAttack *attack,
                           ScenarioVisit visit, void *user)
{
    g_autofree char *section = g_strconcat(ATTACK_PREFIX, attack->name, NULL);

    for (size_t i = 0; i < ATTACK_KEYS_LEN; i++) {
        const Key *key = &ATTACK_KEYS[i];
        const Setting *setting = settings_find(scenario->settings, section, key->name);
        const char *value = setting != NULL ? setting->value : key->fallback;
        g_autofree char *name = g_strdup_printf("%s.%s", section, key->name);

        if (value != NULL) {
            visit(user, name, value);
        }
    }
}

void scenario_each_value(const Scenario *scenario, ScenarioVisit visit, void *user)
{
    for (size_t i = 0; i < KEYS_LEN; i++) {
        const Key *key = &KEYS[i];
        const Setting *setting = settings_find(scenario->settings, key->section, key->name);
        const char *value = setting != NULL ? setting->value : key->fallback;
        g_autofree char *name = g_strdup_printf("%s.%s", key->section, key->name);

        if (value != NULL) {
            visit(user, name, value);
        }
    }
    for (guint i = 0; i < scenario->events_len; i++) {
        const ScenarioEvent *event = &scenario->events[i];
        g_autofree char *name = g_strdup_printf("event:%s.do", event->name);
        g_autofree char *what = scenario_event_text(event);
        g_autofree char *text = g_strdup_printf("%s at %gs", what, (double)event->at.ns / 1e9);

        visit(user, name, text);
    }
    for (guint i = 0; i < scenario->attacks_len; i++) {
        each_of_attack(scenario, &scenario->attacks[i], visit, user);
    }
}
