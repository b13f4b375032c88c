/// Watches folders of YAML and hands out what they say now.
@NullMarked
package dev.culvert.kube.folder;

import org.jspecify.annotations.NullMarked;
