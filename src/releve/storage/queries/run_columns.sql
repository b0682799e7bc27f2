-- Every channel of a run and what kind of values it has, so that a table can have a column for each.
SELECT key, array_agg(DISTINCT kind) AS kinds, count(*) AS n FROM (
    SELECT key, CASE WHEN jsonb_typeof(value) <> 'number' THEN jsonb_typeof(value)
                     WHEN value::text ~ '^-?[0-9]{1,18}$' THEN 'integer' ELSE 'number' END AS kind
    FROM (/*readings*/) AS counted CROSS JOIN LATERAL jsonb_each(channels) AS each (key, value)
) AS typed GROUP BY key ORDER BY key
