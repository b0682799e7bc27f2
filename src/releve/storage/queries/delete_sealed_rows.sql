-- The rows that were sealed, and how many they were, which the caller compares: one too many or too few, and it sealed nothing.
WITH gone AS (
    DELETE FROM fresh_reading
    WHERE device_id = %(device)s AND time < now() - %(older_s)s * interval '1 second' AND received < now() - %(older_s)s * interval '1 second'
      AND (time, id) <= (to_timestamp(0) + %(last_us)s::bigint * interval '1 microsecond', %(last_id)s::bigint)
    RETURNING 1
)
SELECT count(*) FROM gone
