INSERT INTO fresh_reading (device_id, time, id, received, channels, sent) VALUES ($1, $2, $3, $4, $5, $6)
