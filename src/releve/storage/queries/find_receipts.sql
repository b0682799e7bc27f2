SELECT receipt.device_id, receipt.id, (extract(epoch FROM time) * 1000000)::bigint,
       (extract(epoch FROM received) * 1000000)::bigint
FROM receipt JOIN unnest(%s::int[], %s::bigint[]) AS asked (device_id, id)
    ON receipt.device_id = asked.device_id AND receipt.id = asked.id
