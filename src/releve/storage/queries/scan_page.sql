-- A page of one device's readings as columns, an array each. Not ordered within the aggregates: the page itself is in order.
SELECT array_agg(time), array_agg(id)/*columns*/ FROM (
    SELECT time, id/*values*/ FROM reading
    WHERE device_id = %(device)s
      AND (time, id) > (to_timestamp(0) + %(after_us)s::bigint * interval '1 microsecond', %(after_id)s::bigint)
      AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
    ORDER BY time, id
    LIMIT %(limit)s
) AS page
