-- The same as stretches.sql, a row a channel: for readings that have more channels than a statement can have columns.
-- Ties in time are in the order of the identity.
-- A number beyond 10^150 is no measurement, and its square would not fit.
SELECT start, channel, count(*) AS n, min(value) AS low, max(value) AS high, avg(value) AS mean,
       coalesce(var_pop(value), 0) * count(*) AS squares,
       (min(ARRAY[place, value]))[2] AS first_value, (max(ARRAY[place, value]))[2] AS last_value
FROM (
    SELECT start, place, channel, value::double precision AS value
    FROM (
        SELECT date_bin(%(width)s::interval, r.time, to_timestamp(0)) AS start, r.channels,
               (row_number() OVER (ORDER BY r.time, r.id))::double precision AS place
        FROM reading AS r
        WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s AND /*counts*/
          AND date_bin(%(width)s::interval, r.time, to_timestamp(0)) IN (
              SELECT to_timestamp(0) + us * interval '1 microsecond' FROM unnest(%(starts)s::bigint[]) AS given (us)
          )
    ) AS counted
    CROSS JOIN LATERAL (
        SELECT key, value FROM jsonb_each(channels) /*derived*/
    ) AS each (channel, value)
    WHERE jsonb_typeof(value) = 'number'
    OFFSET 0 -- the number is read once, not by each aggregate
) AS measured
WHERE abs(value) < 1e150
GROUP BY start, channel
