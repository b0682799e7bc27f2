-- One channel of a run along another (the time, where there is no other), in the order of time.
SELECT time_us, id, along, value FROM (
    SELECT time, time_us, id,
           CASE WHEN %(along)s::text IS NULL THEN 0 WHEN jsonb_typeof(channels -> %(along)s::text) = 'number'
                THEN (channels -> %(along)s::text)::numeric END AS along,
           CASE WHEN jsonb_typeof(channels -> %(channel)s::text) = 'number' THEN (channels -> %(channel)s::text)::numeric END AS value
    FROM (/*readings*/) AS counted
    OFFSET 0 -- the numbers are read once
) AS measured
WHERE abs(along) < 1e150 AND abs(value) < 1e150
