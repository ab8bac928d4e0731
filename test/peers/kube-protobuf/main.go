// Prints one JSON line for each kind that typed Go clients write as protobuf: {"apiVersion", "kind", "json", "protobuf"},
// where both are the same object with every field set, as k8s.io/api itself encodes it. Arguments: a seed and how many
// objects of each kind; with a seed other than 0 fields are left out at random.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"strconv"
	"time"

	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscaling1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
	aggregation "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type kind struct {
	gv     schema.GroupVersion
	object runtime.Object
}

var kinds = []kind{
	{core.SchemeGroupVersion, &core.Namespace{}}, {core.SchemeGroupVersion, &core.Secret{}}, {core.SchemeGroupVersion, &core.ConfigMap{}},
	{core.SchemeGroupVersion, &core.Event{}}, {core.SchemeGroupVersion, &core.ServiceAccount{}}, {core.SchemeGroupVersion, &core.Node{}},
	{core.SchemeGroupVersion, &core.Pod{}}, {core.SchemeGroupVersion, &core.Service{}}, {core.SchemeGroupVersion, &core.Endpoints{}},
	{core.SchemeGroupVersion, &core.PersistentVolume{}}, {core.SchemeGroupVersion, &core.PersistentVolumeClaim{}},
	{core.SchemeGroupVersion, &core.ResourceQuota{}}, {core.SchemeGroupVersion, &core.LimitRange{}},
	{core.SchemeGroupVersion, &core.ReplicationController{}}, {core.SchemeGroupVersion, &core.PodTemplate{}},
	{core.SchemeGroupVersion, &core.Binding{}},
	{apps.SchemeGroupVersion, &apps.Deployment{}}, {apps.SchemeGroupVersion, &apps.DaemonSet{}}, {apps.SchemeGroupVersion, &apps.StatefulSet{}},
	{apps.SchemeGroupVersion, &apps.ReplicaSet{}}, {apps.SchemeGroupVersion, &apps.ControllerRevision{}},
	{batch.SchemeGroupVersion, &batch.Job{}}, {batch.SchemeGroupVersion, &batch.CronJob{}},
	{networking.SchemeGroupVersion, &networking.NetworkPolicy{}}, {networking.SchemeGroupVersion, &networking.Ingress{}},
	{networking.SchemeGroupVersion, &networking.IngressClass{}},
	{policy.SchemeGroupVersion, &policy.PodDisruptionBudget{}}, {policy.SchemeGroupVersion, &policy.Eviction{}},
	{discovery.SchemeGroupVersion, &discovery.EndpointSlice{}},
	{storage.SchemeGroupVersion, &storage.StorageClass{}}, {storage.SchemeGroupVersion, &storage.CSIDriver{}},
	{scheduling.SchemeGroupVersion, &scheduling.PriorityClass{}},
	{autoscaling.SchemeGroupVersion, &autoscaling.HorizontalPodAutoscaler{}}, {autoscaling1.SchemeGroupVersion, &autoscaling1.Scale{}},
	{admission.SchemeGroupVersion, &admission.MutatingWebhookConfiguration{}}, {admission.SchemeGroupVersion, &admission.ValidatingWebhookConfiguration{}},
	{admission.SchemeGroupVersion, &admission.ValidatingAdmissionPolicy{}}, {admission.SchemeGroupVersion, &admission.ValidatingAdmissionPolicyBinding{}},
	{apiextensions.SchemeGroupVersion, &apiextensions.CustomResourceDefinition{}},
	{aggregation.SchemeGroupVersion, &aggregation.APIService{}},
	{coordination.SchemeGroupVersion, &coordination.Lease{}}, {events.SchemeGroupVersion, &events.Event{}},
	{rbac.SchemeGroupVersion, &rbac.Role{}}, {rbac.SchemeGroupVersion, &rbac.ClusterRole{}},
	{rbac.SchemeGroupVersion, &rbac.RoleBinding{}}, {rbac.SchemeGroupVersion, &rbac.ClusterRoleBinding{}},
	{authentication.SchemeGroupVersion, &authentication.TokenReview{}}, {authentication.SchemeGroupVersion, &authentication.TokenRequest{}},
	{authentication.SchemeGroupVersion, &authentication.SelfSubjectReview{}},
	{authorization.SchemeGroupVersion, &authorization.SubjectAccessReview{}}, {authorization.SchemeGroupVersion, &authorization.LocalSubjectAccessReview{}},
	{authorization.SchemeGroupVersion, &authorization.SelfSubjectAccessReview{}}, {authorization.SchemeGroupVersion, &authorization.SelfSubjectRulesReview{}},
	{certificates.SchemeGroupVersion, &certificates.CertificateSigningRequest{}},
	{core.SchemeGroupVersion, &meta.Status{}}, {core.SchemeGroupVersion, &meta.DeleteOptions{}},
}

// filler sets fields by reflection; with a chance below 1 it leaves some as they are.
type filler struct {
	random *rand.Rand
	chance float64
}

func (f filler) fill(value reflect.Value, name string, depth int) {
	if depth > 12 {
		return
	}
	switch value.Addr().Interface().(type) {
	case *meta.Time:
		value.Set(reflect.ValueOf(meta.Unix(1767225600+f.random.Int63n(1000), 0)))
		return
	case *meta.MicroTime:
		value.Set(reflect.ValueOf(meta.MicroTime{Time: time.Unix(1767225600, 123456000).UTC()}))
		return
	case *meta.Duration:
		value.Set(reflect.ValueOf(meta.Duration{Duration: 90 * time.Second}))
		return
	case *resource.Quantity:
		value.Set(reflect.ValueOf(resource.MustParse(strconv.Itoa(1+f.random.Intn(900)) + "Mi")))
		return
	case *intstr.IntOrString:
		if f.random.Intn(2) == 0 {
			value.Set(reflect.ValueOf(intstr.FromString("http")))
		} else {
			value.Set(reflect.ValueOf(intstr.FromInt32(int32(f.random.Intn(9)))))
		}
		return
	case *meta.FieldsV1:
		value.Set(reflect.ValueOf(meta.FieldsV1{Raw: []byte(`{"f:spec":{}}`)}))
		return
	case *runtime.RawExtension:
		value.Set(reflect.ValueOf(runtime.RawExtension{Raw: []byte(`{"a":[1,"b"]}`)}))
		return
	case *apiextensions.JSON:
		value.Set(reflect.ValueOf(apiextensions.JSON{Raw: []byte(`{"a":[1,"b"]}`)}))
		return
	case *apiextensions.JSONSchemaPropsOrBool:
		if depth > 8 || f.random.Intn(2) == 0 {
			value.Set(reflect.ValueOf(apiextensions.JSONSchemaPropsOrBool{Allows: true}))
			return
		}
		value.Set(reflect.ValueOf(apiextensions.JSONSchemaPropsOrBool{Allows: true, Schema: &apiextensions.JSONSchemaProps{Type: "string"}}))
		return
	case *apiextensions.JSONSchemaPropsOrArray:
		value.Set(reflect.ValueOf(apiextensions.JSONSchemaPropsOrArray{Schema: &apiextensions.JSONSchemaProps{Type: "object"}}))
		return
	case *apiextensions.JSONSchemaPropsOrStringArray:
		if f.random.Intn(2) == 0 {
			value.Set(reflect.ValueOf(apiextensions.JSONSchemaPropsOrStringArray{Property: []string{"a"}}))
		} else {
			value.Set(reflect.ValueOf(apiextensions.JSONSchemaPropsOrStringArray{Schema: &apiextensions.JSONSchemaProps{Type: "object"}}))
		}
		return
	case *apiextensions.JSONSchemaProps:
		if depth > 6 {
			value.Set(reflect.ValueOf(apiextensions.JSONSchemaProps{Type: "string"}))
			return
		}
	}
	switch value.Kind() {
	case reflect.String:
		value.SetString(fmt.Sprintf("%s%d", name, f.random.Intn(100)))
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int32, reflect.Int64, reflect.Int:
		value.SetInt(1 + f.random.Int63n(1<<30))
	case reflect.Uint8:
		value.SetUint(uint64(f.random.Intn(256)))
	case reflect.Float64:
		value.SetFloat(float64(f.random.Intn(100)) / 4)
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		f.fill(value.Elem(), name, depth)
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 2, 2))
		f.fill(value.Index(0), name, depth+1)
		f.fill(value.Index(1), name, depth+1)
	case reflect.Map:
		value.Set(reflect.MakeMap(value.Type()))
		for i := 0; i < 2; i++ {
			key, item := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
			key.SetString(fmt.Sprintf("key%d", i))
			f.fill(item, name, depth+1)
			value.SetMapIndex(key, item)
		}
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			field := value.Type().Field(i)
			if field.Name == "TypeMeta" || !field.IsExported() || field.Tag.Get("json") == "-" || f.random.Float64() > f.chance {
				continue
			}
			f.fill(value.Field(i), field.Name, depth+1)
		}
	}
}

func main() {
	seed, count := int64(0), 1
	if len(os.Args) > 2 {
		seed, _ = strconv.ParseInt(os.Args[1], 10, 64)
		count, _ = strconv.Atoi(os.Args[2])
	}
	f := filler{random: rand.New(rand.NewSource(seed)), chance: 1}
	if seed != 0 {
		f.chance = 0.6
	}
	serializer := protobuf.NewSerializer(nil, nil)
	for _, kind := range kinds {
		for i := 0; i < count; i++ {
			object := reflect.New(reflect.TypeOf(kind.object).Elem())
			f.fill(object.Elem(), "x", 0)
			name := object.Elem().Type().Name()
			encoded := object.Interface().(runtime.Object)
			encoded.GetObjectKind().SetGroupVersionKind(kind.gv.WithKind(name))
			var wire bytes.Buffer
			if err := serializer.Encode(encoded, &wire); err != nil {
				panic(err)
			}
			_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
				"apiVersion": kind.gv.String(), "kind": name, "json": encoded, "protobuf": wire.Bytes(),
			})
		}
	}
}
