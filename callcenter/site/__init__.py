"""Reading a site's files: people, roster, places, households, calendar."""
