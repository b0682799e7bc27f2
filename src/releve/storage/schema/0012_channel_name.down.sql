DROP TABLE channel_name;
