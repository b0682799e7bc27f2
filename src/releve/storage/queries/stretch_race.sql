UPDATE runs_run
SET started_at = least(started_at, to_timestamp(0) + %(time_us)s::bigint * interval '1 microsecond'),
    ended_at = CASE WHEN ended_at IS NOT NULL
                    THEN greatest(ended_at, to_timestamp(0) + (%(time_us)s::bigint + 1) * interval '1 microsecond') END
WHERE id = %(race)s AND deleted_at IS NULL
