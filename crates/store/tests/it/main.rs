//! The store, from outside. `conformance!` runs each function of its list on each database; another database is one line.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking; clippy's own exemption ends at functions that are no #[test]"
)]

mod audit;
mod audit_chain;
mod ceremonies;
mod crash;
mod databases;
mod device_sign_ins;
mod effects;
mod factors;
mod files;
mod jobs;
mod limits;
mod linked_logins;
mod passkeys;
mod people;
mod races;
mod sync_runs;
mod transactions;

macro_rules! conformance {
    ($($database:ident: $factory:ty;)+ => $list:tt) => {
        $(conformance!(@database $database $factory, $list);)+
    };
    (@database $database:ident $factory:ty, { $($module:ident: [$($test:ident),+ $(,)?];)+ }) => {
        mod $database {
            $(mod $module {
                use crate::databases::Factory as _;
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $test() {
                        crate::$module::$test(&<$factory>::create()).await;
                    }
                )+
            })+
        }
    };
}

conformance! {
    sqlite: crate::databases::Sqlite;
    postgres: crate::databases::Postgres;
    => {
        transactions: [
            a_commit_writes_the_change_and_its_audit_row,
            a_failure_writes_nothing,
            an_error_that_is_swallowed_cannot_commit,
            a_transaction_is_of_no_use_after_its_end,
            a_transaction_that_is_given_up_is_undone,
            a_borrowing_transaction_can_be_spawned,
            details_have_a_limit,
        ];
        races: [
            sixty_four_increments_over_two_handles_are_all_counted,
            of_sixty_four_starts_one_succeeds,
            of_sixty_four_equal_keys_one_creates,
            many_may_open_a_new_database_at_once,
        ];
        audit: [
            an_act_without_a_change_is_recorded,
            a_denial_is_recorded,
            the_log_is_filtered_and_paged_newest_first,
            personal_values_stand_apart_and_rows_are_found_by_them,
            many_events_at_once_are_all_written_and_answered,
            one_event_that_does_not_fit_takes_no_other_along,
            failures_of_nobody_are_counted_beyond_twenty_a_minute,
        ];
        audit_chain: [
            rows_get_their_place_in_the_order_of_commits,
            many_sequencers_at_once_give_each_row_one_place,
            a_row_that_is_committed_late_is_not_skipped,
            what_was_done_to_the_table_is_named,
            a_log_below_a_checkpoint_cannot_be_rewritten_or_cut,
            an_erased_person_leaves_a_chain_that_holds,
            a_checkpoint_of_a_number_is_written_once,
        ];
        jobs: [
            a_job_runs_and_succeeds,
            a_job_fails_with_its_reason,
            a_known_key_finds_the_first_job,
            two_jobs_do_not_run_on_one_target,
            under_another_permission_a_job_is_missing,
            a_final_job_is_left_alone,
            a_heartbeat_tells_of_progress_and_of_the_wish_to_stop,
            a_queued_job_is_cancelled_at_once,
            jobs_are_filtered_and_paged_newest_first,
            a_job_whose_process_is_gone_is_found_and_settled,
        ];
        sync_runs: [
            a_sync_is_remembered_whole,
            a_sync_belongs_to_one_job,
            the_history_is_paged_newest_first,
            the_latest_sync_of_each_source_is_found,
        ];
        effects: [
            an_effect_leaves_its_intent_and_its_outcome,
            an_effect_has_one_outcome,
            an_effect_is_finished_under_its_own_permission,
            an_effect_whose_process_is_gone_is_found_and_settled,
        ];
        limits: [
            many_guesses_at_once_do_not_pass_the_limit,
            what_is_long_over_is_deleted,
            many_mints_at_once_do_not_pass_the_limit,
        ];
        people: [
            one_address_is_one_user,
            the_last_admin_stays,
            of_many_demotions_at_once_one_admin_is_left,
            what_a_user_owns_goes_with_him_and_the_audit_stays,
            of_many_renewals_one_makes_the_next_generation,
            other_sessions_are_listed_and_ended,
            a_token_is_found_by_its_hash_and_revoked_by_its_owner,
            a_link_is_good_once_and_for_its_time,
        ];
        factors: [
            an_app_is_enabled_by_its_first_code,
            codes_shown_with_an_app_wait_for_its_first_code,
            of_many_equal_codes_one_counts,
            of_many_equal_recovery_codes_one_counts,
            recovery_codes_are_replaced_and_go_with_the_last_factor,
            somebody_elses_factors_are_missing,
            an_admin_takes_everything_away,
        ];
        passkeys: [
            a_passkey_has_one_owner_who_names_and_removes_it,
            a_counter_that_goes_back_is_told,
            of_many_equal_uses_of_a_counting_passkey_one_counts,
            the_only_way_in_stays,
        ];
        ceremonies: [
            of_many_answers_one_gets_the_ceremony,
            an_answer_from_elsewhere_gets_nothing,
            ceremonies_end_and_are_few,
        ];
        device_sign_ins: [
            a_program_waits_is_approved_and_takes_its_token_once,
            a_program_is_denied_or_comes_too_late,
            a_token_is_given_back_by_whoever_has_it,
            programs_that_wait_are_few,
        ];
        linked_logins: [
            a_login_is_of_one_user,
            of_many_that_link_a_login_one_user_gets_it,
            what_is_linked_goes_with_its_user,
        ];
    }
}
