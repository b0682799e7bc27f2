-- What each device's segments hold: readings, bytes of their columns, and bytes of those that end in the last days.
SELECT device_id, sum(n)::bigint, sum(bytes)::bigint,
       coalesce(sum(bytes) FILTER (WHERE last >= now() - %(days)s * interval '1 day' AND last <= now()), 0)::bigint
FROM segment WHERE replaced IS NULL AND (%(devices)s::int[] IS NULL OR device_id = ANY(%(devices)s::int[]))
GROUP BY device_id ORDER BY device_id
