"""Events as web sites, apps and servers send them, in the form of the Segment specification: read, judged, dated."""
