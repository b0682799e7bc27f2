-- When the newest fresh readings of each device were received, for the rhythm that they show.
SELECT wanted.device_id, (
    SELECT array_agg((extract(epoch FROM newest.received) * 1000000)::bigint)
    FROM (SELECT received FROM fresh_reading AS reading WHERE reading.device_id = wanted.device_id
          ORDER BY time DESC, id DESC LIMIT %(limit)s) AS newest
) FROM unnest(%(devices)s::int[]) AS wanted (device_id)
