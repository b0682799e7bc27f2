-- Every channel of a run and what kind of values it has, so that a table can have a column for each.
SELECT key, array_agg(kind) AS kinds FROM (
    SELECT DISTINCT key,
           CASE WHEN jsonb_typeof(value) <> 'number' THEN jsonb_typeof(value)
                WHEN scale(value::numeric) = 0 AND abs(value::numeric) < 1e18 THEN 'integer' ELSE 'number' END AS kind
    FROM (/*readings*/) AS counted CROSS JOIN LATERAL jsonb_each(channels) AS each (key, value)
) AS typed GROUP BY key ORDER BY key
