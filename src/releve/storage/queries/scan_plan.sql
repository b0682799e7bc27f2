-- What a stretch of one device's history is made of, in one snapshot: its rows from there on, no more than will do, and
-- its segments. Rows of the old table come too until it is emptied. Not ordered within the aggregates: the page is in order.
SELECT rows.*, segments.*
FROM (
    SELECT array_agg(time) AS times, array_agg(id) AS ids, array_agg(received) AS received, array_agg(sent) AS sent,
           string_agg(channels, E'\n') AS channels, max(found) AS found, bool_or(is_old) AS has_old
    FROM (
        SELECT *, count(*) OVER () AS found, sum(size) OVER (ORDER BY time/*desc*/, id/*desc*/, is_old) - size AS before
        FROM (
            (SELECT time, id, received, sent, channels, false AS is_old, octet_length(channels) AS size FROM fresh_reading
             WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
               AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
             ORDER BY time/*desc*/, id/*desc*/ LIMIT %(limit)s)
            UNION ALL
            (SELECT time, id, received, sent, channels::text, true, pg_column_size(channels) FROM reading
             WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
               AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
             ORDER BY time/*desc*/, id/*desc*/ LIMIT %(limit)s)
        ) AS both_tables
        ORDER BY time/*desc*/, id/*desc*/, is_old LIMIT %(limit)s
    ) AS page
    WHERE before < %(bytes)s
) AS rows, (
    SELECT array_agg(id ORDER BY first, id), array_agg(n::bigint ORDER BY first, id),
           array_agg(first ORDER BY first, id), array_agg(last ORDER BY first, id), array_agg(bytes::bigint ORDER BY first, id)
    FROM segment
    WHERE device_id = %(device)s AND replaced IS NULL
      AND first < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
      AND last >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
) AS segments
