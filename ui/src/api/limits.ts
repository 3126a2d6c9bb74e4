/** What the API takes in each field; made from openapi.json by `npm run generate`. */
// prettier-ignore
export const limits = {
  "TrainingRequest": {
    "architecture": {
      "maxLength": 64
    },
    "backend": {
      "default": "auto"
    },
    "base_models": {
      "maxItems": 16,
      "default": []
    },
    "batch_size": {
      "minimum": 2,
      "maximum": 4096,
      "default": 32
    },
    "datasets": {
      "maxItems": 100,
      "default": []
    },
    "ensemble": {},
    "face_class": {},
    "gpus": {
      "minimum": 0,
      "maximum": 1024,
      "default": 0
    },
    "include_generated": {
      "default": false
    },
    "include_uploaded": {
      "default": false
    },
    "label": {
      "minLength": 1,
      "maxLength": 80,
      "pattern": "^[^\\x00-\\x1f\\x7f]+$"
    },
    "learning_rate": {
      "maximum": 10,
      "exclusiveMinimum": 0
    },
    "licence": {
      "minLength": 1,
      "maxLength": 200,
      "default": "unspecified"
    },
    "max_epochs": {
      "minimum": 1,
      "maximum": 100000,
      "default": 20
    },
    "model": {},
    "name": {
      "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"
    },
    "patience": {
      "minimum": 0,
      "maximum": 10000,
      "default": 0
    },
    "preset": {
      "default": "original"
    },
    "resolution": {
      "minimum": 32,
      "maximum": 1024
    },
    "seed": {
      "minimum": 0,
      "exclusiveMaximum": 2147483648,
      "default": 0
    },
    "test_fraction": {
      "minimum": 0,
      "maximum": 0.5,
      "default": 0.1
    },
    "type": {},
    "weights": {
      "default": "none"
    }
  },
  "DatasetRequest": {
    "face_class": {},
    "label": {
      "minLength": 1,
      "maxLength": 80
    },
    "name": {
      "minLength": 1,
      "maxLength": 60,
      "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"
    },
    "type": {},
    "uploads": {
      "minItems": 1,
      "maxItems": 1000
    }
  },
  "ModelRequest": {
    "architecture": {
      "minLength": 1,
      "maxLength": 64,
      "pattern": "^[^\\x00-\\x1f\\x7f]+$",
      "default": "unknown"
    },
    "classes": {
      "minItems": 4,
      "maxItems": 4
    },
    "description": {
      "minLength": 1,
      "maxLength": 1000,
      "default": "Trained elsewhere and uploaded."
    },
    "face_class": {},
    "label": {
      "minLength": 1,
      "maxLength": 80,
      "pattern": "^[^\\x00-\\x1f\\x7f]+$"
    },
    "licence": {
      "minLength": 1,
      "maxLength": 200,
      "default": "unspecified"
    },
    "model": {},
    "name": {
      "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"
    },
    "network": {},
    "type": {},
    "upload": {}
  },
  "UploadedNetwork": {
    "channel_base": {
      "minimum": 64,
      "maximum": 65536
    },
    "channel_max": {
      "minimum": 4,
      "maximum": 1024
    },
    "latent_size": {
      "minimum": 2,
      "maximum": 1024
    },
    "mapping_layers": {
      "minimum": 1,
      "maximum": 16
    },
    "mapping_learning_rate": {
      "maximum": 1,
      "exclusiveMinimum": 0
    },
    "resolution": {
      "minimum": 32,
      "maximum": 1024
    },
    "temperature": {
      "minimum": 0.05,
      "maximum": 100
    },
    "width": {
      "minimum": 4,
      "maximum": 512
    }
  }
} as const;
