// Which promises are made in some of the ways only, and why. The one place.
#include <algorithm>
#include <set>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

enum Where : unsigned { threads = 1, sequential = 2, local = threads | sequential };

struct Reason {
  Where where;
  const char* why;
  std::vector<std::string> tests;
};

const std::vector<Reason> not_everywhere = {
    {local,
     "its task crashes, which takes the program with it: only processes protect",
     {
      "P_ERR_a_crash_tells_what_is_known",
      "P_FUT_09_a_crash_of_the_dependant_is_retried_with_its_bytes",
      "P_IMAP_03_a_crash_costs_one_element",
      "P_LIFE_01_retries_and_crashes_count_and_nothing_is_lost",
      "P_MAP_10_a_crash_inside_a_chunk_loses_one_element",
      "P_MAP_10_retries_count_per_element",
      "P_SYNC_01_a_party_that_dies_at_a_barrier_breaks_it",
      "P_SYNC_01_a_pipe_tells_that_its_worker_is_gone",
      "P_SYNC_01_a_worker_that_dies_releases_those_who_wait",
      "P_SYNC_01_a_worker_that_dies_with_a_lock_is_told_of_once",
      "P_SYNC_01_join_hears_of_a_worker_that_died_with_an_element",
     }},
    {local,
     "its task does not return, and nothing ends a thread by force (tests/local: what is asked to stop)",
     {
      "P_FUT_04_a_map_is_cancelled_as_a_whole",
      "P_FUT_04_a_stop_token_cancels_before_during_and_after",
      "P_FUT_04_a_task_that_does_not_listen_is_killed_and_join_returns",
      "P_FUT_04_join_waits_for_what_is_being_stopped",
      "P_FUT_05_callbacks_terminate_but_do_not_join",
      "P_JOB_02_a_task_that_takes_too_long_is_stopped",
      "P_JOB_02_a_timeout_in_a_chunk_is_one_elements_own",
      "P_POOL_06_ten_thousand_queued_sleeps_end_within_a_second",
      "P_POOL_06_terminate_completes_every_future",
      "P_POOL_08_while_an_exception_unwinds_it_terminates",
      "P_POOL_terminate_and_close_wake_who_waits_for_room",
     }},
    {local,
     "a soft timeout interrupts the task by a signal, which is ours to handle in workers only: here it is "
     "Misuse (P_JOB_02_only_processes_have_soft_timeouts)",
     {
      "P_JOB_02_a_report_comes_before_a_timeout",
      "P_JOB_02_a_read_that_is_interrupted_goes_on",
      "P_JOB_02_a_stuck_task_is_reported_with_its_stack_and_goes_on",
      "P_JOB_02_a_task_that_blocks_the_signal_is_reported_without_its_stack",
      "P_JOB_02_a_task_that_is_cancelled_in_time_is_not_reported",
      "P_JOB_02_a_task_that_ends_before_it_can_answer_is_reported",
      "P_JOB_02_another_threads_signal_is_passed_on",
      "P_JOB_02_each_attempt_is_reported",
      "P_JOB_02_in_a_map_each_stuck_element_is_reported_and_no_other",
      "P_JOB_02_the_signal_has_a_stack_of_its_own_also_without_crash_handlers",
      "P_JOB_02_the_soft_time_is_each_tasks_own",
      "P_JOB_02_what_runs_outside_of_every_module_is_reported_unharmed",
      "P_JOB_02_where_nobody_listens_a_report_is_on_stderr",
      "P_JOB_02_who_throws_and_catches_goes_on_unharmed",
     }},
    {local,
     "it is about worker processes: their start, replacement, number, environment or descriptors "
     "(tests/local: the initializer, resizing)",
     {
      "P_FUT_05_a_callback_drops_the_pool",
      "P_INIT_01_once_in_each_worker_before_its_first_task",
      "P_INIT_01_preload_runs_once_for_all_workers_and_before_them",
      "P_INIT_02_a_preload_that_fails_breaks_the_pool_too",
      "P_INIT_02_a_start_that_succeeds_at_last_is_forgiven",
      "P_INIT_02_one_that_throws_breaks_the_pool_with_its_own_error",
      "P_INIT_02_replacements_that_fail_break_the_pool_after_as_many_as_allowed",
      "P_INIT_02_terminate_ends_a_worker_in_its_initializer",
      "P_JOB_01_inner_threads_are_capped",
      "P_JOB_01_the_shared_pool_of_a_worker_is_the_worker_itself",
      "P_LIFE_01_a_chunk_counts_as_one",
      "P_LIFE_01_no_worker_runs_more_than_its_share",
      "P_LIFE_02_a_replacement_is_warm_before_the_old_one_leaves",
      "P_LIFE_03_a_worker_that_has_grown_is_replaced",
      "P_LIFE_workers_without_work_leave_and_come_back",
      "P_MAP_02_python_chunks_are_pythons",
      "P_POOL_10_two_hundred_workers",
      "P_POOL_12_the_end_of_the_outer_pool_is_the_end_of_the_inner",
      "P_POOL_a_worker_program_needs_spawn",
      "P_POOL_in_worker_tells_a_worker",
      "P_POOL_pids_are_one_per_place_and_run_all_tasks",
      "P_POOL_resize_up_and_down_loses_nothing",
      "P_START_03_replacements_come_from_the_template_never_from_this_program",
      "P_START_04_a_worker_holds_what_it_needs_and_no_more",
      "P_START_04_stdin_gives_nothing",
      "P_SYNC_01_an_initializer_gets_handles",
      "P_SYNC_01_workers_share_what_their_template_made",
     }},
    {local,
     "it runs a program whose pool has worker processes, or takes a resource away from one",
     {
      "P_MAP_05_elements_that_a_worker_without_descriptors_cannot_receive",
      "P_MAP_05_out_of_descriptors_at_a_large_submit",
      "P_MAP_05_payloads_larger_than_memory",
      "P_POOL_02_the_affinity_mask_bounds_the_count",
      "P_POOL_02_the_environment_lowers_the_count_and_never_raises_it",
      "P_POOL_03_a_pool_of_static_storage_that_cannot_start_ends_what_it_had_accepted",
      "P_POOL_03_out_of_descriptors_at_a_replacement",
      "P_POOL_03_out_of_descriptors_at_construction",
      "P_POOL_03_out_of_memory_at_construction",
      "P_JOB_01_the_shared_pool_is_healed_and_replaced",
      "P_POOL_11_a_pool_of_static_storage",
      "P_POOL_11_a_pool_of_static_storage_is_misuse_in_workers",
      "P_POOL_11_pools_that_end_before_they_start_do_at_init_what_they_had_accepted",
      "P_START_02_a_pool_of_static_storage_without_init_is_misuse",
      "P_START_02_without_init_a_pool_is_misuse_and_never_a_fork_bomb",
      "P_START_05_an_interrupt_at_the_terminal_reaches_the_program_only",
      "P_START_06_files_that_are_replaced_while_the_pool_runs",
     }},
    {local,
     "it counts or looks for objects and bytes apart from this process's own, and here is no other",
     {
      "P_FUT_09_nothing_is_decoded_on_the_way",
      "P_JOB_03_a_read_only_handle_is_mapped_read_only_and_nothing_is_copied",
      "P_MAP_09_arguments_are_released_when_the_task_ends",
      "P_MAP_09_results_are_released_with_the_last_handle",
      "TRAVEL_string_views_and_spans_are_seen_in_place",
     }},
    {sequential,
     "it does something else while its task runs or waits: here the task has ended when the call that "
     "submits it returns",
     {
      "P_FUT_01_get_as_often_as_wanted_and_with_a_limit",
      "P_FUT_02_successful_before_ready_is_misuse",
      "P_FUT_03_running_means_executing",
      "P_FUT_04_a_stop_token_ends_an_imap",
      "P_FUT_04_a_task_that_polls_ends_by_itself",
      "P_FUT_04_a_token_wakes_a_task_that_sleeps_and_the_next_one_is_fresh",
      "P_FUT_04_callbacks_and_waiters_learn_of_it",
      "P_FUT_04_what_is_queued_never_runs",
      "P_FUT_05_a_throwing_callback_changes_no_outcome",
      "P_FUT_05_callbacks_run_in_an_executor",
      "P_FUT_05_callbacks_run_once_in_order_off_the_waiting_thread",
      "P_FUT_05_callbacks_submit_a_hundred_deep_and_get",
      "P_FUT_06_as_completed_is_in_order_of_completion",
      "P_FUT_06_as_completed_with_a_limit",
      "P_FUT_06_futures_of_several_pools",
      "P_FUT_06_wait_for_the_first",
      "P_FUT_06_wait_for_the_first_exception",
      "P_FUT_06_wait_with_a_limit",
      "P_FUT_07_each_failed_future_owns_its_error",
      "P_FUT_08_a_cancellation_slot_cancels_the_task",
      "P_FUT_08_a_coroutine_goes_on_with_the_value",
      "P_FUT_08_a_gathered_future_ends_with_its_pools",
      "P_FUT_08_a_gathered_future_is_a_future",
      "P_FUT_08_a_gathered_future_is_cancelled_as_a_whole",
      "P_FUT_08_gather_waits_for_all_and_throws_the_first_error_by_position",
      "P_FUT_09_a_closed_pool_finishes_what_waits_for_others",
      "P_FUT_09_a_large_value_passes_while_it_is_waited_for",
      "P_FUT_09_an_upstream_error_is_the_dependants",
      "P_FUT_09_cancelling_goes_downstream_and_not_up",
      "P_FUT_09_it_waits_for_what_is_not_done",
      "P_FUT_09_its_pool_ends_without_it",
      "P_FUT_09_shutdown_cancels_what_is_held",
      "P_FUT_a_flood_is_bounded",
      "P_FUT_a_task_tells_how_far_it_is_and_repeats_its_last_word",
      "P_FUT_futures_outlive_their_pool_and_dropping_one_cancels_nothing",
      "P_FUT_in_a_map_each_element_speaks_for_itself",
      "P_IMAP_01_unordered_is_in_order_of_completion",
      "P_IMAP_04_dropping_the_stream_cancels_what_has_not_started",
      "P_IMAP_05_next_for_times_out_and_can_be_called_again",
      "P_IMAP_05_settled_next_times_out_and_can_be_called_again",
      "P_JOB_01_progress_counts_failures_and_what_never_ran",
      "P_JOB_02_a_retry_can_be_cancelled_while_it_is_judged_or_waits",
      "P_JOB_02_the_time_counts_from_the_real_start",
      "P_MAP_01_no_elements_no_wait",
      "P_MAP_02_the_tail_behind_a_slow_element_is_split",
      "P_MAP_03_fail_fast_throws_the_lowest_of_those_that_ran",
      "P_MAP_03_map_waits_for_all_then_throws_the_error_of_the_lowest_index",
      "P_MAP_06_two_errors_of_a_megabyte",
      "P_MAP_the_input_has_been_read_when_an_eager_call_returns",
      "P_POOL_04_apply_async_returns_at_once",
      "P_POOL_05_after_close_queued_work_finishes_and_new_work_is_refused",
      "P_POOL_06_terminate_ends_a_get_in_another_thread",
      "P_POOL_07_a_shutdown_that_waits_for_itself_is_misuse",
      "P_POOL_07_join_wants_a_closed_pool_and_join_for_a_limit",
      "P_POOL_13_a_map_that_has_begun_ends_with_what_it_began",
      "P_POOL_13_shutdown_waits_unless_told_otherwise",
      "P_POOL_13_what_has_not_started_can_be_cancelled",
      "P_POOL_a_call_that_waits_for_a_future_waits_for_room_or_is_declined",
      "P_POOL_a_callback_never_waits_for_room",
      "P_POOL_priorities_order_what_waits",
      "P_POOL_stats_count",
      "P_POOL_submit_waits_for_room_and_try_submit_declines",
      "P_SYNC_01_events_conditions_and_barriers_meet_in_workers",
      "P_SYNC_01_queues_feed_workers",
     }},
};

unsigned place_of(Way way) {
  if (way.backend == Backend::process) return 0;
  return way.backend == Backend::thread ? threads : sequential;
}

std::string without_way(const std::string& test) { return test.substr(0, test.find('/')); }

}  // namespace

void Conformance::SetUp() {
  const auto* const info = testing::UnitTest::GetInstance()->current_test_info();
  const std::string test = without_way(info->name());
  for (const Reason& reason : not_everywhere) {
    if ((reason.where & place_of(GetParam())) == 0) continue;
    if (std::ranges::find(reason.tests, test) != reason.tests.end()) GTEST_SKIP() << reason.why;
  }
}

TEST(NotEverywhere, each_row_names_a_test_that_exists) {
  const auto& all = *testing::UnitTest::GetInstance();
  std::set<std::string> tests;
  for (int i = 0; i != all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j != suite.total_test_count(); ++j) {
      tests.insert(without_way(suite.GetTestInfo(j)->name()));
    }
  }
  for (const Reason& reason : not_everywhere) {
    for (const std::string& test : reason.tests) EXPECT_TRUE(tests.contains(test)) << test;
  }
}

}  // namespace procpool::test
