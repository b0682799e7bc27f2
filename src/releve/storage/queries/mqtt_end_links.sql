UPDATE device_link SET
    ended = to_timestamp(over.ended_s), state = over.state,
    state_until = CASE WHEN over.state IS NOT NULL THEN to_timestamp(over.ended_s) + make_interval(secs => over.expiry_s) END
FROM unnest(%s::uuid[], %s::float8[], %s::jsonb[], %s::int[]) AS over (link, ended_s, state, expiry_s)
WHERE device_link.link = over.link
