-- The segments of a span by their first instant, each with the width of its rungs of some channels, nought where it has none, and
-- whether it stands alone: no row and no other segment lies in it, or between it and the one before.
SELECT array_agg(id), array_agg(n::bigint), array_agg(first), array_agg(last), array_agg(bytes::bigint), array_agg(sealed),
       array_agg(width_us), array_agg((NOT is_shared)::int::bigint)
FROM (
    SELECT id, n, first, last, bytes, sealed,
           coalesce((SELECT max(ladder.width_us) FROM ladder
                     WHERE ladder.device_id = %(device)s AND ladder.segment_id = laid.id AND ladder.channel = ANY(%(names)s::text[])), 0) AS width_us,
           coalesce(before >= first, false) OR coalesce(following <= last, false)
           OR EXISTS (SELECT FROM fresh_reading AS row WHERE row.device_id = %(device)s AND row.time <= last
                      AND row.time >= coalesce(before, to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'))
           OR EXISTS (SELECT FROM reading AS row WHERE row.device_id = %(device)s AND row.time <= last
                      AND row.time >= coalesce(before, to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond')) AS is_shared
    FROM (
        SELECT id, n, first, last, bytes, sealed, lead(first) OVER by_first AS following,
               max(last) OVER (by_first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM segment
        WHERE device_id = %(device)s AND replaced IS NULL
          AND first < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
          AND last >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
        WINDOW by_first AS (ORDER BY first, id)
    ) AS laid
    ORDER BY first, id
) AS each
