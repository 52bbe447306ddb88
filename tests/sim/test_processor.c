/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_processor.c - one server, first in first out, and a bounded queue: against what queueing
 * theory says. */
#include <math.h>
#include <peal/random.h>

#include "peal_test.h"
#include "processor.h"

static PealTime at_ms(int64_t ms)
{
    return (PealTime){ms * PEAL_NS_PER_MS};
}

static ScenarioProcessor model_of(const char *service, uint32_t messages, PealSpan time)
{
    ScenarioProcessor model = {.queue = {messages, time}};
    bool ok = dist_parse(service, &model.service, NULL);

    CU_ASSERT_TRUE_FATAL(ok);
    return model;
}

static void processor_serves_one_frame_after_another(void)
{
    ScenarioProcessor model = model_of("constant:10ms", 100, (PealSpan){0});
    Processor processor;
    PealTime end;

    processor_init(&processor, &model, 1, 2);
    CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(0), PROCESSOR_FRAME, &end));
    CU_ASSERT_EQUAL(end.ns, at_ms(10).ns);
    CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(4), PROCESSOR_FRAME, &end));
    CU_ASSERT_EQUAL(end.ns, at_ms(20).ns);
    CU_ASSERT_TRUE(processor_arrive(&processor, 1, at_ms(4), PROCESSOR_FRAME,
                                    &end)); /* another peer's is idle */
    CU_ASSERT_EQUAL(end.ns, at_ms(14).ns);
    CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(50), PROCESSOR_FRAME, &end));
    CU_ASSERT_EQUAL(end.ns, at_ms(60).ns);
    processor_fini(&processor);
}

static void processor_with_full_queue_turns_away(void)
{
    ScenarioProcessor model = model_of("constant:10ms", 2, (PealSpan){0});
    Processor processor;
    PealTime end;

    processor_init(&processor, &model, 1, 1);
    CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(0), PROCESSOR_FRAME, &end));
    CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(0), PROCESSOR_FRAME, &end));
    CU_ASSERT_FALSE(processor_arrive(&processor, 0, at_ms(9), PROCESSOR_FRAME, &end));
    processor_served(&processor, 0);
    CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(10), PROCESSOR_FRAME, &end));
    CU_ASSERT_EQUAL(end.ns, at_ms(30).ns);
    processor_fini(&processor);
}

static void processor_turns_away_what_would_wait_too_long(void)
{
    ScenarioProcessor model = model_of("constant:10ms", 0, peal_ms(25));
    Processor processor;
    PealTime end;

    processor_init(&processor, &model, 1, 1);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(0), PROCESSOR_FRAME,
                                        &end)); /* waits 0, 10, 20 ms */
    }
    CU_ASSERT_FALSE(processor_arrive(&processor, 0, at_ms(0), PROCESSOR_FRAME, &end));
    CU_ASSERT_TRUE(processor_arrive(&processor, 0, at_ms(5), PROCESSOR_FRAME, &end));
    processor_fini(&processor);
}

/* M/M/1/K: Poisson arrivals at load rho, exponential service. Returns the fraction turned away. */
static double loss_of(double rho, uint32_t k, unsigned arrivals)
{
    ScenarioProcessor model = model_of("exponential:1ms", k, (PealSpan){0});
    GArray *ends = g_array_new(FALSE, FALSE, sizeof(int64_t));
    Processor processor;
    double now_ns = 0;
    unsigned lost = 0;
    guint first = 0;

    processor_init(&processor, &model, 77, 1);
    for (unsigned i = 0; i < arrivals; i++) {
        double uniform = (double)(peal_random_at(78, 1, i) >> 11) * 0x1p-53;
        PealTime end;

        now_ns += -log(1 - uniform) * 1e6 / rho;
        while (first < ends->len && (double)g_array_index(ends, int64_t, first) <= now_ns) {
            processor_served(&processor, 0);
            first++;
        }
        if (processor_arrive(&processor, 0, (PealTime){(int64_t)now_ns}, PROCESSOR_FRAME, &end)) {
            g_array_append_val(ends, end.ns);
        } else {
            lost++;
        }
    }
    processor_fini(&processor);
    g_array_unref(ends);
    return (double)lost / arrivals;
}

static void check_loss(double rho, double expected)
{
    enum { ARRIVALS = 400000, K = 10 };
    double loss = loss_of(rho, K, ARRIVALS);
    /* Losses come in bursts: a few times the deviation of independent ones. */
    double deviation = 3 * sqrt(expected * (1 - expected) / ARRIVALS) * 3;

    CU_ASSERT_TRUE(fabs(loss - expected) < deviation);
}

static void processor_loses_what_the_m_m_1_k_queue_loses(void)
{
    check_loss(0.9, 0.0508);
    check_loss(2.0, 0.5002);
}

static void processor_that_is_infinite_keeps_no_state(void)
{
    ScenarioProcessor model = model_of("none", 1, (PealSpan){0});
    Processor processor;

    processor_init(&processor, &model, 1, 1000);
    CU_ASSERT_TRUE(processor_is_infinite(&processor));
    processor_fini(&processor);
}

PEAL_TEST_MAIN("sim/processor", PEAL_TEST(processor_serves_one_frame_after_another),
               PEAL_TEST(processor_with_full_queue_turns_away),
               PEAL_TEST(processor_turns_away_what_would_wait_too_long),
               PEAL_TEST(processor_loses_what_the_m_m_1_k_queue_loses),
               PEAL_TEST(processor_that_is_infinite_keeps_no_state))
