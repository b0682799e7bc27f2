-- Where readings, or those of some channels, are deleted now; what an archive just gave back is not.
INSERT INTO expired_reading AS known (device_id, channel, spans)
SELECT %(device)s, name, tstzmultirange(tstzrange(
           to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond', to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
       )) - coalesce((
           SELECT range_agg(tstzrange(since, until)) FROM restored_span WHERE device_id = %(device)s AND kept_until > now()
       ), '{}')
FROM unnest(%(channels)s::text[]) AS own (name)
ON CONFLICT (device_id, channel) DO UPDATE SET spans = known.spans + excluded.spans
