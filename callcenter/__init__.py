"""A telephone hotline that answers itself, for property-management service centres (物业服务中心)."""

__version__ = "0.1.0"
