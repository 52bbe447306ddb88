/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_location_table.c - AORs that come and go in any order, beside a model that just counts. */
#include "core/fake_peer.h"
#include "peal_test.h"
#include "sip/location_table.h"

enum { IDS = 300, STEPS = 30000, CHECK_EVERY = 97 };

typedef struct Model {
    bool there[IDS];
    int64_t act_at[IDS];
    uint32_t len;
    uint64_t state;
} Model;

static uint32_t model_draw(Model *model, uint32_t below)
{
    model->state = model->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(model->state >> 33) % below;
}

static PealId model_id(uint32_t number)
{
    /* Many share the bytes that are hashed. */
    return (PealId){{(uint8_t)(number % 40), [8] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};
}

static void agrees(const Location *location, const Model *model)
{
    const LocationEntry *first = location_table_first(location);
    int64_t earliest = INT64_MAX;
    bool same = location->entries_len == model->len;

    for (uint32_t i = 0; i < IDS; i++) {
        const PealId id = model_id(i);
        const LocationEntry *entry = location_table_find(location, &id);

        same = same && (entry != NULL) == model->there[i];
        if (entry != NULL) {
            same = same && entry->act_at.ns == model->act_at[i] && entry->expires_s == i;
            earliest = entry->act_at.ns < earliest ? entry->act_at.ns : earliest;
        }
    }
    CU_ASSERT(same);
    CU_ASSERT_EQUAL((first != NULL), (model->len > 0));
    CU_ASSERT(first == NULL || first->act_at.ns == earliest);
}

/* grows: of a hundred AORs that are not there, so many come. */
static void step(FakePeer *fake, Model *model, uint32_t grows)
{
    Location *location = &fake->peer.location;
    const uint32_t i = model_draw(model, IDS);
    const PealId id = model_id(i);
    LocationEntry *entry = location_table_find(location, &id);

    if (entry == NULL && model_draw(model, 100) < grows) {
        entry = location_table_add(&fake->peer, &id);
        CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
        entry->expires_s = i;
        model->there[i] = true;
        model->act_at[i] = PEAL_TIME_NEVER.ns;
        model->len++;
    } else if (entry != NULL && model_draw(model, 100) < 100 - grows) {
        location_table_remove(&fake->peer, entry);
        model->there[i] = false;
        model->len--;
    } else if (entry != NULL) {
        model->act_at[i] = model_draw(model, 50); /* often equal */
        location_table_act_at(location, entry, (PealTime){model->act_at[i]});
    }
}

static void location_table_keeps_what_came_and_forgets_what_went(void)
{
    FakePeer *fake = fake_new();
    Model model = {.state = 1};
    uint32_t most = 0;

    for (uint32_t i = 0; i < STEPS; i++) {
        step(fake, &model, i % 3000 < 2000 ? 80 : 5); /* up and down, to nothing */
        most = model.len > most ? model.len : most;
        if (i % CHECK_EVERY == 0) {
            agrees(&fake->peer.location, &model);
        }
    }
    CU_ASSERT(most > IDS / 2);
    fake_free(fake); /* with what is left */
}

PEAL_TEST_MAIN("core/location_table",
               PEAL_TEST(location_table_keeps_what_came_and_forgets_what_went))
